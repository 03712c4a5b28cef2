"""``attnstudy rank``: what is asked, what is collected for it, and what is answered."""

from attnstudy.usecases.ranking.asked import RankRequest, Source, parse_look
from attnstudy.usecases.ranking.earlier import EarlierStudy
from attnstudy.usecases.ranking.one_task import RankReport, collect, rank

__all__ = [
    "EarlierStudy",
    "RankReport",
    "RankRequest",
    "Source",
    "collect",
    "parse_look",
    "rank",
]
