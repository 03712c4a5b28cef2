"""The facts of the package are in pyproject.toml."""

from setuptools import setup

setup()
