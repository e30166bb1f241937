package content

import (
	"slices"
	"strings"

	"github.com/lamina-sec/lamina/internal/opt"
)

// OfLayer is the origin in the merged view of a layer by its index in the scan.
func OfLayer(layer int) opt.Origin { return opt.Origin{Kind: opt.FromLayer, Layer: layer + 1} }

// InLayer is the path in the layer of a path as the function sees it.
func InLayer(seen string) string { return strings.TrimPrefix(seen, "/opt/") }

// popular are names of packages that misspellings aim at: among the most
// downloaded of PyPI and npm.
var popular = []string{
	"requests", "urllib3", "boto3", "botocore", "numpy", "pandas", "pydantic", "fastapi", "django", "flask", "sqlalchemy", "cryptography",
	"certifi", "jinja2", "pillow", "psycopg2", "pymysql", "redis", "celery", "aiohttp", "httpx", "pytest", "setuptools", "dateutil", "jsonschema",
	"lodash", "express", "axios", "react", "chalk", "commander", "moment", "uuid", "mongoose", "mysql2", "sequelize", "winston", "dotenv",
	"jsonwebtoken", "webpack", "typescript", "aws-sdk", "node-fetch", "socket.io", "graphql", "underscore", "async", "debug", "bluebird",
}

// Resembles names the well-known package that a name is one letter away from: one
// more, one less, another one, or two that changed places. It is "" for a
// well-known name itself and for short ones.
func Resembles(name string) string {
	name = strings.ToLower(name)
	if len(name) < 5 || slices.Contains(popular, name) {
		return ""
	}
	for _, p := range popular {
		if len(p) >= 5 && oneApart(name, p) {
			return p
		}
	}
	return ""
}

// oneApart reports whether one insertion, removal, replacement or swap of
// neighbours makes a of b.
func oneApart(a, b string) bool {
	if len(a) < len(b) {
		a, b = b, a
	}
	i := 0
	for i < len(b) && a[i] == b[i] {
		i++
	}
	switch len(a) - len(b) {
	case 0:
		if i == len(a) {
			return false
		}
		return a[i+1:] == b[i+1:] || i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
	case 1:
		return a[i+1:] == b[i:]
	}
	return false
}
