"""What people call things in tables of results."""

from __future__ import annotations

ARM_HEADINGS = (
    "method", "Model", "model_name", "Algorithm", "variant", "Verfahren", "Methode", "Modell",
    "Ansatz", "méthode", "Modèle", "Réseau", "Método", "modelo", "Algoritmo", "params.model",
    "config/method", "config.architecture", "params_method", "backbone", "Strategy", "optimizer",
    "attention", "group", "Group", "activation", "ARCH", "loss function", "system", "Netz",
)  # fmt: skip
SEED_HEADINGS = (
    "seed", "Seed", "SEED", "random_seed", "config.seed", "params.seed", "params_seed",
    "Startwert", "Lauf", "Wiederholung", "run", "Run", "trial", "rep", "replicate", "graine",
    "Essai", "répétition", "semilla", "repetición", "random_state", "config/seed", "Trial",
)  # fmt: skip
RISING = (
    "accuracy", "acc", "Acc", "test_acc", "test/acc", "metrics.acc", "metrics.test_accuracy",
    "Accuracy (%)", "top-1 [%]", "Top1", "F1", "f1_macro", "AUC", "mIoU", "BLEU", "score",
    "Genauigkeit", "Genauigkeit (%)", "Trefferquote", "exactitude", "Exactitude (%)", "Précision",
    "exactitud", "puntuación", "precisión", "value", "result", "Ergebnis", "val_acc",
    "summary/test_acc", "testAcc", "eval/return", "episode_reward", "balanced accuracy",
)  # fmt: skip
FALLING = (
    "loss", "test_loss", "Error (%)", "err", "RMSE", "Fehler", "Fehlerrate", "Verlust", "erreur",
    "Taux d'erreur", "perte", "pérdida", "error", "perplexity", "nll", "WER", "test/loss",
)  # fmt: skip
OTHER_METRICS = (
    "val_loss", "train_loss", "train_acc", "precision", "recall", "auc", "val/f1", "Verlust",
    "erreur", "metrics.val_loss", "top5", "ece",
)  # fmt: skip

ARMS = (
    "base", "ours", "cbam", "vanilla", "early", "late", "resnet18", "resnet50", "vit-b/16", "Adam",
    "SGD", "lr=0.1", "lr=0.01", "ours (full)", "w/o aug", "MLP", "GRU", "k-NN", "SVM", "XGBoost",
    "ours + mixup", "A", "B", "C", "no_norm", "gpt2", "double", "eca", "ReLU", "GELU",
)  # fmt: skip
STRANGE_ARMS = (
    'the "new" one', "a, b and c", "größer", "naïve Bayes", "Ours*", "cifar10", "f1", "#1",
    "BASE", "Base", "ours, 3 layers", "seed", "ours;v2", "x=1,y=2", "50%", "v1.0", "+aug", "-aug",
    "accuracy", "none", "null", "loss", "top1", "model", "π", "run", "true", "test",
    "2nd", "ours'", "`x`", "a|b", "=ours", "(ours)", )  # fmt: skip
DOUBTFUL_ARMS = (
    "mean", "se", "best", "std", "max", "min", "median", "nan", "18", "34", "0.1", "0.01", "n",
    "avg", "average", "overall", "NA", "inf", "sd", "-", "total", "Mean", "ø-net",
    "sum-pool", "weighted mean pooling",
)  # fmt: skip
"""Names that a person too may take for something else."""

MEANS = (
    "mean", "Mean", "avg", "average", "Average", "Mittelwert", "Ø", "Schnitt", "Durchschnitt",
    "moyenne", "Moyenne", "promedio", "media", "AVG", "Avg.", "Mittel",
)  # fmt: skip
SDS = (
    "std", "SD", "stdev", "±", "Standardabweichung", "écart-type", "desviación", "sd", "Std. dev.",
    "STD", "Stdabw.", "standard deviation",
)  # fmt: skip
OTHER_STATISTICS = ("min", "max", "median", "Median", "SE", "Minimum", "Maximum", "sem")
COUNTS = ("n", "N", "runs", "Anzahl")

EMPTY = ("", "", "", "-", "NA", "n/a", "None", "—", "N/A")
DIVERGED = ("nan", "NaN", "inf", "diverged", "NAN", "-inf")

STATES: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("State", ("finished",), ("crashed", "running", "failed", "killed")),
    ("state", ("COMPLETE",), ("PRUNED", "FAIL", "RUNNING")),
    ("status", ("FINISHED",), ("FAILED", "KILLED", "RUNNING", "SCHEDULED")),
    ("State", ("COMPLETED",), ("TIMEOUT", "OUT_OF_MEMORY", "NODE_FAIL", "CANCELLED", "PREEMPTED")),
    ("finished", ("True", "true", "1", "yes"), ("False", "false", "0", "no")),
    ("Status", ("fertig",), ("abgebrochen", "fehlgeschlagen")),
    ("État", ("terminé",), ("échoué", "en cours")),
    ("Estado", ("completado",), ("fallido", "en curso")),
    ("state", ("TrialState.COMPLETE",), ("TrialState.PRUNED", "TrialState.FAIL")),
    ("done", ("True",), ("False",)),
    ("crashed", ("False",), ("True",)),
)
"""Heading, states that count, and states that do not."""

CONFOUNDERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("dataset", ("cifar10", "svhn", "mnist")), ("Datensatz", ("iris", "wine")),
    ("jeu de données", ("iris", "wine")), ("task", ("mnli", "qqp", "sst2")),
    ("Aufgabe", ("A", "B")), ("tarea", ("a", "b")), ("split", ("train", "eval")),
    ("split", ("val", "test")), ("phase", ("train", "test")), ("lr", ("0.1", "0.01")),
    ("config.lr", ("0.1", "0.001", "0.01")), ("params.batch_size", ("32", "64")),
    ("Lernrate", ("0.1", "0.01")), ("host", ("node1", "node2")), ("gpu", ("A100", "V100")),
    ("optimizer", ("adam", "sgd")), ("version", ("1", "2")), ("depth", ("18", "34")),
    ("subset", ("full", "small")), ("env", ("CartPole", "Pendulum")), ("langue", ("fr", "en")),
    ("augmented", ("True", "False")), ("img size", ("224", "384")), ("width", ("1.0", "0.5")),
    ("fold", ("0", "1", "2")), ("Falte", ("1", "2")), ("noise level", ("0.1", "0.2")),
    ("tokens", ("100", "200")), ("metric", ("acc", "loss")), ("measure", ("f1", "auc")),
    ("Metrik", ("Genauigkeit", "Verlust")), ("pretrained", ("yes", "no")),
    ("corruption", ("fog", "snow")), ("budget", ("10", "20")),
)  # fmt: skip
"""Columns in which the runs of an arm may differ."""

CONSTANTS = (
    ("lr", "0.1"), ("host", "node1"), ("dataset", "cifar10"), ("gpu", "A100"), ("epochs", "90"),
    ("batch_size", "128"), ("config.optimizer", "adam"), ("split", "test"), ("Lernrate", "0.01"),
    ("commit", "ab12cd3"), ("task", "cls"), ("user", "kim"), ("_wandb", "{}"), ("weight_decay",
    "5e-4"), ("epoch", "90"), ("step", "1000"), ("augmented", "True"),
)  # fmt: skip
EPOCHS = ("epoch", "Epoch", "step", "global_step", "_step", "Epoche", "époque", "iteration")
COMMENTS = ("# made by results.py", "# accuracy on the test set", "#generated")
TITLES = ("Results of the ablation", "Table 2: accuracy", "Ergebnisse")
