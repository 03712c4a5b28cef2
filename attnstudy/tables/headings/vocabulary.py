"""The words that headings of tables of results are made of, as they were met; nothing but data.

Words of English, German, French, Spanish and Italian, without case and accents; headings of several
words are written with ``_``: see ``exactly``.
"""

from __future__ import annotations

ARMS = frozenset({
    "variant", "model", "method", "arm", "algorithm", "system", "approach", "architecture",
    "network", "net", "backbone", "classifier", "estimator", "learner", "technique", "config",
    "configuration", "condition", "treatment", "strategy", "ablation", "agent", "algo", "policy",
    "methode", "verfahren", "modell", "ansatz", "variante", "algorithmus", "architektur", "netz",
    "modele", "approche", "algorithme", "reseau", "systeme",
    "metodo", "modelo", "algoritmo", "enfoque", "arquitectura", "sistema",
    "modello", "approccio", "architettura", "rete",
})  # fmt: skip
"""Headings of the column of arms."""
SEEDS = frozenset({
    "seed", "seeds", "random_seed", "randomseed", "rng_seed", "random_state", "rng", "rep", "reps",
    "repeat", "repetition", "replicate", "replication", "replica", "trial", "run", "run_number",
    "run_no", "run_nr", "run_index", "attempt", "try",
    "lauf", "durchlauf", "wiederholung", "startwert", "versuch",
    "graine", "repetition_no", "essai", "execution", "tirage",
    "semilla", "repeticion", "corrida", "ejecucion", "ensayo",
    "seme", "ripetizione", "prova", "esecuzione",
    "semente", "execucao", "repeticao", "tentativa",
})  # fmt: skip
STEPS = frozenset({
    "epoch", "step", "global_step", "_step", "iteration", "iter", "training_iteration",
    "trainer_global_step", "timestep", "timesteps", "total_timesteps", "num_updates", "update",
    "epoche", "schritt", "epoque", "etape", "epoca", "paso", "passo", "episode", "round",
})  # fmt: skip
TASKS = frozenset({
    "dataset", "data", "data_set", "task", "benchmark", "problem", "env", "environment", "env_id",
    "game", "domain", "corpus", "testset", "test_set", "dataset_name", "task_name",
    "datensatz", "daten", "aufgabe", "jeu_de_donnees", "donnees", "tache",
    "conjunto_de_datos", "datos", "tarea", "dati", "compito",
})  # fmt: skip
# what results may be one each of: a row of such a thing is no run
UNITS = frozenset({
    "patient", "subject", "participant", "case", "query", "document", "doc", "question", "example",
    "instance", "item", "image", "sample", "sentence", "region", "site", "center", "centre",
    "hospital", "country", "city", "station", "sensor", "customer", "store", "week", "month", "day",
    "quarter", "language", "lang", "category", "class", "label", "speaker", "scene", "video",
    "proband", "fall", "woche", "monat", "tag", "land", "sprache", "klasse",
    "semaine", "mois", "jour", "pays", "langue", "classe", "semana", "mes", "dia", "pais", "clase",
    "paciente", "sujet", "sujeto",
})  # fmt: skip
# text of these headings says how or where a result was taken, never which arm it is of
NEVER_ARMS = frozenset({
    "split", "phase", "partition", "subset", "set", "part", "metric", "metrics", "measure", "host",
    "hostname", "node", "machine", "gpu", "device", "server", "cluster", "job_type", "stage",
    "metrik", "mesure", "metrica",
})  # fmt: skip
# text of these headings spells out settings
CONFIGURATIONS = frozenset({
    "overrides", "override", "hparams", "hyperparameters", "hyperparams", "args", "arguments",
    "command", "cmd", "flags", "options", "settings", "params",
})  # fmt: skip
LANGUAGES = frozenset({
    "ar", "bg", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "he", "hi", "hr", "hu",
    "id", "it", "ja", "ko", "lt", "lv", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sv", "th",
    "tr", "uk", "vi", "zh",
})  # fmt: skip
STATES = frozenset({
    "state", "status", "run_state", "run_status", "trial_state", "job_state", "lifecycle_stage",
    "zustand", "etat", "statut", "estado", "stato", "finished", "completed", "done", "diverged",
    "failed", "crashed",
})  # fmt: skip
# of a run, and without any influence on it
BOOKKEEPING = frozenset({
    "name", "run_name", "display_name", "run_id", "id", "uuid", "created", "created_at", "started",
    "started_at", "ended", "ended_at", "finished_at", "updated", "updated_at", "start_time",
    "end_time", "start", "end", "date", "datum", "time", "timestamp", "heartbeat_at", "heartbeat",
    "runtime", "duration", "walltime", "wall_time", "elapsed", "user", "username", "user_id",
    "author", "notes", "note", "comment", "comments", "remark", "remarks", "tags", "sweep",
    "description", "url", "link", "path", "artifact_uri", "experiment_id", "experiment_name",
    "source_name", "source_type", "datetime_start", "datetime_complete", "number", "index", "row",
    "_timestamp", "_runtime", "_step", "_wandb", "reported_by",
    "anmerkung", "bemerkung", "notiz", "benutzer", "dauer", "laufzeit", "kommentar", "nr",
    "remarque", "utilisateur", "duree", "commentaire", "nota", "notas", "usuario", "duracion",
    "comentario", "fecha", "utente", "durata", "commento", "data_e_ora",
    "jobid", "job_id", "pid", "slurm_job_id", "time_this_iter_s", "time_total_s", "best_epoch",
    "best_step", "best_iteration",
})  # fmt: skip
# of which several runs may share a value
SHARED_BOOKKEEPING = frozenset({
    "created", "created_at", "started", "started_at", "ended", "ended_at", "finished_at",
    "updated", "updated_at", "start_time", "end_time", "timestamp", "heartbeat_at",
    "heartbeat", "sweep", "experiment_id", "experiment_name", "source_name", "source_type",
    "artifact_uri", "datetime_start", "datetime_complete", "index", "row", "reported_by",
    "pid", "best_epoch", "best_step", "best_iteration", "time_this_iter_s", "time_total_s",
    "_step", "data_e_ora", "notes", "note", "comment", "comments", "remark", "remarks",
    "description", "anmerkung", "bemerkung", "notiz", "kommentar", "remarque", "commentaire",
    "nota", "notas", "comentario", "commento",
})  # fmt: skip
# of which each run has one of its own
RUN_IDS = frozenset({
    "run_id", "runid", "run_uuid", "uuid", "wandb_id", "wandb_run_id", "mlflow_run_id", "trial_id",
})  # fmt: skip
# which tell runs apart, unless something else numbers them
IDENTITIES = RUN_IDS | {
    "id",
    "name",
    "run_name",
    "display_name",
    "job_id",
    "jobid",
    "slurm_job_id",
    "url",
    "run_url",
    "link",
    "path",
    "run_path",
    "artifact_uri",
    "pid",
    "number",
    "nr",
}
# words for what many runs have in common
OF_GROUPS = frozenset({
    "user", "username", "author", "benutzer", "utilisateur", "usuario", "utente", "by", "date",
    "datum", "fecha", "experiment", "project", "group", "sweep", "study", "source", "parent",
    "git", "commit", "version", "host", "node", "gpu", "device", "machine", "worker", "agent",
    "entity", "cluster", "batch", "best", "tag", "tags",
})  # fmt: skip
MEAN = frozenset({
    "mean", "means", "average", "averages", "avg", "overall", "mittelwert", "mittel", "schnitt",
    "durchschnitt", "gesamt", "moyenne", "moy", "promedio", "media", "medio", "moyen", "ø", "µ",
    "mu",
})  # fmt: skip
SD = frozenset({
    "sd", "std", "stdev", "stddev", "deviation", "standardabweichung", "stdabw", "streuung",
    "ecart", "desviacion", "deviazione", "±", "sigma", "σ",
})  # fmt: skip
COUNT = frozenset({"n", "runs", "seeds", "trials", "repeats", "repetitions", "count", "anzahl"})
# labels of rows and columns that sum up the others, one way or another
OF_ALL = frozenset({
    "all", "total", "grand", "general", "gesamtergebnis", "gesamt", "overall", "gemiddelde",
    "media", "summe", "somme", "totale",
})  # fmt: skip
DERIVED = frozenset({
    "diff", "difference", "differenz", "diferencia", "differenza", "delta", "δ", "ratio", "gain",
    "improvement", "speedup", "pvalue", "unterschied", "ecart", "verbesserung", "change",
})  # fmt: skip
BESIDE_MEAN = frozenset({
    "value", "values", "all", "total", "reported", "printed", "published", "claimed", "stated",
})  # fmt: skip
# in the name of a task, these say that it sums up others
OF_TASKS = frozenset({
    "mean", "avg", "average", "averages", "averaged", "geomean", "gmean", "hmean", "iqm",
    "mittelwert", "durchschnitt", "moyenne", "promedio", "ø",
})  # fmt: skip
# and so do these where nothing else is in it
SUMS_OF_TASKS = frozenset({
    "macro", "micro", "summary", "score", "wins", "losses", "ties", "draws", "best", "params",
    "parameters", "flops", "gflops", "macs", "latency", "throughput", "runtime", "time", "w/t/l",
    "w/l", "w/d/l", "win/tie/loss", "rank", "ranks", "zusammenfassung", "resume", "resumen",
})  # fmt: skip
BESIDE_SUMS = frozenset({
    "of", "all", "the", "total", "number", "no", "overall", "tasks", "datasets", "on", "rank",
})  # fmt: skip
OF_COUNT = COUNT | {"num", "number", "no", "of", "run", "seed"}
OTHER_STATISTICS = frozenset({
    "se", "sem", "stderr", "ci", "ci95", "iqr", "var", "variance", "varianz", "min", "max",
    "minimum", "maximum", "median", "mediane", "mediana", "rank", "rang", "rango", "best", "worst",
    "range", "quantile", "percentile", "p25", "p75", "total", "sum", "summe", "somme", "suma",
    "somma",
})  # fmt: skip
NO_MEASUREMENT = frozenset({"", "seed", "index", "id", "epoch"})
# measured too, but beside an accuracy it is not the metric
SECOND = frozenset({
    "loss", "losses", "nll", "perplexity", "ppl", "time", "latency", "runtime", "duration",
    "seconds", "secs", "sec", "minutes", "hours", "ms", "throughput", "dauer", "laufzeit",
})  # fmt: skip
# known before a run
GIVEN = frozenset({
    "params", "param", "parameters", "weights", "flops", "gflops", "mflops", "macs", "epochs",
    "epoch", "steps", "step", "iterations", "iters", "iter", "lr", "wd", "decay", "dropout",
    "momentum", "batch", "batchsize", "size", "layers", "depth", "width", "heads", "dim", "dims",
    "hidden", "channels", "memory", "mem", "gb", "mb", "gpu", "gpus", "cpu", "cpus", "year",
    "date", "items", "images", "samples", "cost", "budget", "version", "resolution", "patience",
    "temperature", "index", "id", "alpha", "beta", "gamma", "lambda", "eps", "epsilon", "warmup",
    "learning", "rank", "units", "neurons", "tau", "workers", "jahr", "annee", "ano", "anno",
    "lernrate", "tiefe", "breite", "schichten", "apprentissage", "profondeur", "couches",
    "aprendizaje", "profundidad", "capas",
})  # fmt: skip
# likewise, whatever else is in the heading: "learning rate", "loss_weight"
SURELY_GIVEN = frozenset({
    "weight", "scale", "smoothing", "threshold", "clipping", "masking", "regularization",
    "regularisation", "mixup", "cutmix", "coef", "coeff",
})  # fmt: skip
GIVEN_BEFORE = frozenset({
    "learning_rate", "learn_rate", "dropout_rate", "dropout_prob", "drop_rate", "drop_path_rate",
    "mask_rate", "mask_ratio", "mask_prob", "noise_level", "noise_std", "decay_rate", "ema_rate",
    "train_fraction", "val_fraction", "test_fraction", "data_fraction", "train_ratio", "val_ratio",
    "eta", "gamma", "subsample", "colsample_bytree", "colsample_bylevel", "reg_alpha", "reg_lambda",
    "min_child_weight", "l1_ratio", "label_smoothing", "temperature", "top_p", "momentum", "beta1",
    "beta2", "warmup_ratio", "weight_decay", "dropout", "alpha", "lambda", "epsilon", "sigma",
    "test_ratio", "split_ratio", "keep_prob", "subsample_rate", "mutation_rate", "crossover_rate",
    "exploration_rate", "sampling_rate", "max_grad_norm", "grad_clip", "gradient_clip",
    "clip_grad", "clip_norm", "clip_range", "entropy_coef", "ent_coef", "value_loss_coef",
})  # fmt: skip
"""Headings of several words, likewise."""
MEASURED = frozenset({
    "acc", "accuracy", "accuracies", "top1", "top5", "top", "f1", "f", "f1score", "precision",
    "recall", "specificity", "sensitivity", "auc", "auroc", "auprc", "roc", "pr", "ap", "map",
    "iou", "miou", "dice", "bleu", "sacrebleu", "rouge", "rouge1", "rouge2", "rougel", "meteor",
    "cider", "spice", "chrf", "score", "scores", "loss", "losses", "error", "errors", "err",
    "errs", "rmse", "mse", "mae", "mape", "r2", "perplexity", "ppl", "nll", "bpc", "bpd", "elbo",
    "likelihood", "logloss", "wer", "cer", "eer", "ece", "brier", "fid", "kid", "psnr", "ssim",
    "lpips", "kappa", "mcc", "reward", "return", "returns", "success", "winrate", "ndcg", "mrr",
    "hits", "hit", "em", "exact", "match", "regret", "fitness", "objective", "value", "result",
    "performance", "metric", "correct", "latency", "throughput", "runtime", "time", "duration",
    "seconds", "secs", "sec", "minutes", "hours", "ms", "pearson", "spearman", "gflops",
    "genauigkeit", "fehler", "verlust", "ergebnis", "wert", "punktzahl", "treffer", "trefferquote",
    "exactitude", "erreur", "perte", "resultat", "valeur", "rappel", "justesse",
    "exactitud", "perdida", "resultado", "valor", "puntuacion", "accuratezza", "errore", "perdita",
    "risultato", "valore", "punteggio", "rate", "cross", "entropy", "balanced", "macro", "micro",
    "weighted", "log", "rew", "squared", "absolute",
})  # fmt: skip
# of which a run has one, where others have one for each class, agent or horizon
ONE_A_RUN = frozenset({
    "acc", "accuracy", "accuracies", "loss", "losses", "err", "errs", "error", "errors",
    "genauigkeit", "verlust", "fehler", "exactitude", "perte", "erreur", "exactitud", "perdida",
    "accuratezza", "perdita", "errore",
})  # fmt: skip
# from 0 to 1, or from 0 to 100
BOUNDED = frozenset({
    "top", "f", "fscore", "precision", "recall", "specificity", "sensitivity", "auc", "auroc",
    "auprc", "ap", "map", "ar", "mar", "iou", "miou", "dice", "dsc", "jaccard", "bleu", "sacrebleu",
    "rouge", "rougel", "meteor", "chrf", "em", "exact", "success", "winrate", "kappa", "mcc",
    "ndcg", "mrr", "hits", "hit", "pq", "correct", "coverage", "fpr", "tpr", "wer", "cer", "eer",
    "ece", "spearman", "pearson", "correlation", "r", "genauigkeit", "trefferquote", "exactitude",
    "justesse", "rappel", "exactitud", "accuratezza",
})  # fmt: skip
# which are surely from 0 to 1, or from 0 to 100
SHARES = frozenset({
    "acc", "accuracy", "accuracies", "precision", "recall", "specificity", "sensitivity", "auroc",
    "auprc", "map", "iou", "miou", "dice", "jaccard", "fscore", "ndcg", "mrr", "winrate",
    "genauigkeit", "trefferquote", "exactitude", "justesse", "rappel", "exactitud", "accuratezza",
})  # fmt: skip
# beside these, what is from 0 to 1 is not
RELATIVE = frozenset({
    "drop", "lift", "uplift", "relative", "rel", "normalized", "normalised", "norm", "scaled",
    "adjusted", "adj", "corrected", "standardized", "standardised", "z", "zscore", "logit", "neg",
    "negative", "minus", "vs", "versus", "to", "over", "per", "increase", "decrease", "advantage",
    "gap", "margin", "weight", "penalty", "bonus", "utility", "count", "counts", "number", "num",
    "n", "slope", "trend", "excess", "skill", "forgetting", "transfer", "bwt", "fwt", "above",
    "below", "effect", "shift", "degradation", "reduction", "d", "rank", "ranks", "elo", "relativ",
})  # fmt: skip
# of anything, also of what is from 0 to 1
PERHAPS_BOUNDED = frozenset({
    "score", "scores", "result", "performance", "metric", "punktzahl", "ergebnis", "resultat",
    "resultado", "puntuacion", "risultato", "punteggio", "rate", "win", "pass", "match",
})  # fmt: skip
SPLITS = frozenset({
    "train", "training", "val", "valid", "validation", "test", "testing", "dev", "eval",
    "evaluation", "final", "last", "best", "max", "min", "mean", "of", "at", "on", "the", "avg",
    "pct", "percent", "metrics", "values", "0", "summary", "epoch", "prozent", "objective",
    "average", "total", "ep", "episode", "rollout", "per",
})  # fmt: skip
FOLD = frozenset({
    "fold", "folds", "cv", "kfold", "cvfold", "crossval", "falte", "pli", "pliegue", "particion",
    "piega", "bootstrap", "bootstraps", "boot", "resample", "resamples", "resampling", "jackknife",
})  # fmt: skip
"""Words for parts of one dataset on which results overlap, and for draws from it."""
BESIDE_FOLD = frozenset({
    "k", "cross", "validation", "id", "idx", "index", "no", "nr", "number", "outer", "inner",
    "test", "val", "split", "iter", "iteration", "run", "sample",
})  # fmt: skip
RUNS = frozenset({
    "run", "runs", "seed", "trial", "rep", "repeat", "repetition", "replicate", "fold", "cv", "try",
    "attempt", "lauf", "durchlauf", "wiederholung", "versuch", "falte", "graine", "essai",
    "execution", "pli", "semilla", "corrida", "repeticion", "ejecucion", "pliegue", "prova",
    "esecuzione", "seme",
})  # fmt: skip
PERHAPS_RUNS = frozenset({
    "r", "s", "x", "n", "no", "nr", "split", "value", "result", "wert", "valeur", "valor",
})  # fmt: skip
# metrics of which a number is part of the name
AT_RANK = frozenset({
    "top", "rouge", "bleu", "f", "ndcg", "hits", "hit", "map", "recall", "precision", "p", "mrr",
})  # fmt: skip
RUN_WORDS = (
    "r|s|x|run|seed|trial|rep|repeat|repetition|replicate|fold|split|cv|value|result|try|attempt|"
    "lauf|durchlauf|wiederholung|versuch|falte|graine|essai|execution|pli|semilla|corrida|"
    "repeticion|ejecucion|pliegue|prova|esecuzione|seme|wert|random seed|no|nr|n"
)
