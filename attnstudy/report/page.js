// What a reader can do with the page: sort tables, hide arms, ask a dot for its run.
// Without it the page is complete. Text is only ever set as text, never taken for markup.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("scripted");

  // ---- tables: a click on a heading sorts up, the next down, the third as it was

  const NUMBER = /^[\s[]*([<>]?)\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)/i;
  const EMPTY = /^[\s–]*$/;
  const compareText = new Intl.Collator("en", { numeric: true }).compare;

  // "[−1.74, +10.09]" is −1.74, "1,998" is 1998, and "< .001" comes before .001
  function numberOf(text) {
    const found = NUMBER.exec(text.replace(/−/g, "-").replace(/(\d),(?=\d{3}(?!\d))/g, "$1"));
    if (!found) return NaN;
    const beside = { "<": -1e-9, ">": 1e-9, "": 0 }[found[1]];
    return Number(found[2]) * (1 + beside);
  }

  // names are compared without their place in the table, words without the sign before them
  function textOf(cell) {
    const names = [...cell.querySelectorAll("bdi")].map((name) => name.textContent);
    return names.length ? names.join(" − ") : cell.textContent.replace(/^[▲▼■○×\s]+/, "");
  }

  function sorted(rows, column, falling) {
    const texts = new Map(rows.map((row) => [row, textOf(row[0].cells[column])]));
    const known = rows.filter((row) => !EMPTY.test(texts.get(row)));
    const numbers = new Map(known.map((row) => [row, numberOf(texts.get(row))]));
    const allNumbers = known.every((row) => !Number.isNaN(numbers.get(row)));
    const compare = allNumbers
      ? (one, other) => numbers.get(one) - numbers.get(other)
      : (one, other) => compareText(texts.get(one), texts.get(other));
    known.sort((one, other) => (falling ? compare(other, one) : compare(one, other)));
    return [...known, ...rows.filter((row) => EMPTY.test(texts.get(row)))];
  }

  const NEXT = { none: "ascending", ascending: "descending", descending: "none" };

  function makeSortable(table) {
    const body = table.tBodies[0];
    const rows = []; // each with the remark that stands below it
    for (const row of body.rows) {
      if (row.classList.contains("remark")) rows.at(-1).push(row);
      else rows.push([row]);
    }
    if (rows.length < 2) return;
    const headings = [...table.tHead.rows[0].cells];
    headings.forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => {
        const order = NEXT[heading.getAttribute("aria-sort") ?? "none"];
        headings.forEach((one) => one.removeAttribute("aria-sort"));
        if (order !== "none") heading.setAttribute("aria-sort", order);
        const shown = order === "none" ? rows : sorted(rows, column, order === "descending");
        body.append(...shown.flat());
      });
    });
  }

  document.querySelectorAll("table").forEach(makeSortable);

  // ---- dots: each tells its run; the arrow keys go from dot to dot, and from arm to arm

  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true"); // the dot itself has the words
  document.body.append(tip);

  function tell(dot) {
    document.querySelector(".asked")?.classList.remove("asked");
    tip.hidden = !dot;
    if (!dot) return;
    dot.classList.add("asked");
    tip.textContent = dot.getAttribute("aria-label");
    const at = dot.getBoundingClientRect();
    const room = root.clientWidth - tip.offsetWidth - 8;
    const above = at.top - tip.offsetHeight - 6;
    tip.style.left = `${Math.max(8, Math.min(at.left + at.width / 2 - tip.offsetWidth / 2, room))}px`;
    tip.style.top = `${above < 0 ? at.bottom + 6 : above}px`;
  }

  // of dots that overlap, the one whose middle is nearest
  function dotUnder({ clientX, clientY }) {
    const far = (dot) => {
      const at = dot.getBoundingClientRect();
      return Math.hypot(at.left + at.width / 2 - clientX, at.top + at.height / 2 - clientY);
    };
    const under = document.elementsFromPoint(clientX, clientY).map((one) => one.closest(".run"));
    return [...new Set(under)].filter(Boolean).sort((one, other) => far(one) - far(other))[0];
  }

  const isShown = (dot) => !dot.closest(".off");
  const middle = (dot) => {
    const at = dot.getBoundingClientRect();
    return at.left + at.width / 2;
  };

  function dotBeside(dots, dot, key) {
    const at = dots.indexOf(dot);
    if (key === "ArrowRight") return dots[at + 1];
    if (key === "ArrowLeft") return dots[at - 1];
    const row = (one) => one.closest("[data-arm]");
    const rows = [...new Set(dots.map(row))];
    const next = rows[rows.indexOf(row(dot)) + (key === "ArrowDown" ? 1 : -1)];
    const far = (one) => Math.abs(middle(one) - middle(dot));
    return dots.filter((one) => row(one) === next).sort((a, b) => far(a) - far(b))[0];
  }

  const figures = [];

  function makeAskable(figure) {
    const dots = [...figure.querySelectorAll(".run")];
    if (!dots.length) return;
    figure.setAttribute("role", "group");
    for (const dot of dots) {
      const title = dot.querySelector("title");
      dot.setAttribute("role", "img");
      dot.setAttribute("aria-label", title.textContent);
      title.remove(); // or the browser would show it as well
    }
    // one of them can be reached by Tab, the others from there
    const offer = (chosen) => {
      for (const dot of dots) dot.setAttribute("tabindex", dot === chosen ? "0" : "-1");
    };
    figures.push(() => offer(dots.find(isShown)));
    offer(dots[0]);
    figure.addEventListener("pointermove", (event) => tell(dotUnder(event)));
    figure.addEventListener("pointerleave", () => tell(null));
    figure.addEventListener("focusin", (event) => tell(event.target.closest(".run")));
    figure.addEventListener("focusout", () => tell(null));
    figure.addEventListener("keydown", (event) => {
      const dot = event.target.closest(".run");
      if (event.key === "Escape") tell(null);
      if (!dot || !event.key.startsWith("Arrow")) return;
      event.preventDefault();
      const next = dotBeside(dots.filter(isShown), dot, event.key);
      if (!next) return;
      offer(next);
      next.focus();
    });
  }

  document.querySelectorAll("svg").forEach(makeAskable);
  addEventListener("scroll", () => tell(null), { passive: true });

  // ---- arms: a button for each hides what is about it, in tables and figures

  function showLegend(template) {
    template.replaceWith(template.content);
    const legend = document.querySelector(".legend");
    const buttons = [...legend.querySelectorAll("[aria-pressed]")];
    const said = legend.querySelector("output");
    legend.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      if (buttons.includes(button)) {
        button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") !== "true");
      } else {
        for (const one of buttons) one.setAttribute("aria-pressed", button.value === "all");
      }
      const off = new Set(
        buttons.filter((one) => one.getAttribute("aria-pressed") !== "true").map((one) => one.value),
      );
      for (const about of document.querySelectorAll("[data-arm]")) {
        about.classList.toggle("off", about.dataset.arm.split(" ").some((arm) => off.has(arm)));
      }
      said.textContent = off.size ? `${off.size} of ${buttons.length} arms hidden` : "";
      for (const offer of figures) offer();
    });
  }

  document.querySelectorAll("template").forEach(showLegend);
})();
