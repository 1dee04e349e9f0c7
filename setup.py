"""What the appliance is made of. Exact versions stand in constraints.txt, reasons in docs/dependencies.md."""

from pathlib import Path

from setuptools import find_packages, setup

RUNTIME = [
    "APScheduler", "Babel", "Flask", "Flask-Babel", "Flask-WTF", "aiosmtpd", "argon2-cffi", "cffi", "cheroot",
    "cryptography", "gpiozero", "imapclient", "phonenumberslite", "pyserial", "regex", "segno", "tinydb",
]  # fmt: skip
TEST = [
    'atheris;platform_machine=="x86_64"', "hypothesis", "mypy", "numpy", "playwright", "pytest", "pytest-xdist", "ruff",
    "time-machine", "types-pyserial", "types-regex",
]  # fmt: skip

setup(
    name="centralka",
    version="0.1.0",
    description="The office phone exchange in a box",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="GPL-3.0-or-later",
    python_requires=">=3.11",
    packages=find_packages(include=["appliance", "appliance.*", "webui", "webui.*"]),
    include_package_data=True,
    package_data={
        "appliance": ["*/data/*", "native/*.c", "native/*.h", "native/*.sh"],
        "webui": ["templates/**/*", "static/**/*", "translations/**/*"],
    },
    install_requires=RUNTIME,
    extras_require={"test": TEST},
    entry_points={"console_scripts": ["centralka = appliance.cli:main"]},
)
