package content

import "slices"

// knownModules are the top-level names of Python packages that nearly everybody
// takes from PyPI: among the most downloaded ones, and those that layers carry.
var knownModules = []string{
	"OpenSSL", "PIL", "aiobotocore", "aiohttp", "anthropic", "anyio", "attr", "attrs", "aws_lambda_powertools", "aws_xray_sdk", "awscli", "awscrt", "awswrangler",
	"azure", "bcrypt", "boto", "boto3", "botocore", "bs4", "cachetools", "certifi", "cffi", "chardet", "charset_normalizer", "click", "colorama", "cryptography",
	"datadog_lambda", "dateutil", "ddtrace", "django", "dotenv", "fastapi", "flask", "frozenlist", "fsspec", "google", "grpc", "h11", "httpcore", "httpx",
	"idna", "jinja2", "jmespath", "jose", "jsonschema", "jwt", "langchain", "lumigo_tracer", "lxml", "mangum", "markupsafe", "matplotlib", "msgpack", "multidict",
	"mysql", "nacl", "networkx", "newrelic", "numpy", "oauthlib", "openai", "openpyxl", "opentelemetry", "orjson", "packaging", "pandas", "paramiko", "pip",
	"pkg_resources", "platformdirs", "psutil", "psycopg", "psycopg2", "pyarrow", "pyasn1", "pycparser", "pydantic", "pydantic_core", "pygments", "pymongo",
	"pymysql", "pyparsing", "pytz", "redis", "regex", "requests", "requests_oauthlib", "rich", "rsa", "s3fs", "s3transfer", "scipy", "sentry_sdk", "setuptools",
	"simplejson", "six", "sklearn", "slack_sdk", "sniffio", "snowflake", "soupsieve", "sqlalchemy", "sqlparse", "starlette", "stripe", "tenacity", "tomli", "torch",
	"tornado", "tqdm", "typing_extensions", "tzdata", "ujson", "urllib3", "watchdog", "websocket", "websockets", "werkzeug", "wheel", "wrapt", "xmltodict",
	"yaml", "yarl", "zeep", "zipp", "zstandard",
}

// KnownModule reports whether the top-level name is that of a well-known Python
// package.
func KnownModule(name string) bool { return slices.Contains(knownModules, name) }
