"""Study files: ``studies/<name>/study.toml`` states the question and how it is to be answered.

Everything in a file is a default: the command line goes before environment variables, and
those before the file. A program says the same by ``attnstudy.Study``, and is checked alike.
"""

from attnstudy.studyfile.content import of_content
from attnstudy.studyfile.finding import find
from attnstudy.studyfile.keys import ARMS, SETTINGS_TABLE, TASK_RANKING, TASKS
from attnstudy.studyfile.said import FILE_NAME, FOLDER, OwnTraining, Place, StudyFile

__all__ = [
    "ARMS",
    "FILE_NAME",
    "FOLDER",
    "SETTINGS_TABLE",
    "TASKS",
    "TASK_RANKING",
    "OwnTraining",
    "Place",
    "StudyFile",
    "find",
    "of_content",
]
