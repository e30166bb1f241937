package analyzers

import (
	"path"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/sbom"
)

// EnvironmentFile finds: file of a kind that holds credentials.
var EnvironmentFile = content.Analyzer{
	ID:          "environment-file",
	Title:       "file of a kind that holds credentials",
	Since:       "0.2",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1552.001"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html",
	Remediation: "build the layer without it, and change what it held if anybody else could read a version",
	NoFix:       "a published layer version cannot be changed",
	Files:       true,
	Run:         environmentFile,
}

func environmentFile(s *content.Scan, layer int, found func(content.Result)) error {
	l := s.Layers[layer]
	for _, f := range l.Files {
		what, severity := credentialFile(f.Path)
		if what == "" || f.Size == 0 || f.Kind == content.Link {
			continue
		}
		r := content.Result{
			Outcome: lamina.Fail, File: f.Path, Severity: severity, Detail: "by its name it is " + what,
			Evidence: []string{"file sha256: " + f.SHA256.String()},
		}
		if c, _ := l.Owner(f.Path); c != nil && (l.Listed(f) || c.Ecosystem == sbom.NPM && c.How == sbom.Installed) {
			r.Severity = lamina.Low
			r.Detail += "; it seems to have come with " + c.Name
		}
		found(r)
	}
	return nil
}

// credentialFile says what a file is by its name, and how bad it is in a layer; ""
// if the name says nothing.
func credentialFile(name string) (what string, severity lamina.Severity) {
	folder, base := path.Split(strings.ToLower(name))
	dir := path.Base(folder)
	switch in := dir + "/" + base; {
	case in == ".aws/credentials" || in == ".aws/config":
		return "AWS's configuration of a person or machine", lamina.Medium
	case in == ".docker/config.json" || base == ".dockercfg" || base == ".dockerconfigjson":
		return "the logins of a container registry", lamina.Medium
	case in == ".kube/config" || base == "kubeconfig" || strings.HasSuffix(base, ".kubeconfig"):
		return "the access to a Kubernetes cluster", lamina.Medium
	case dir == ".ssh" && (strings.HasPrefix(base, "id_") && !strings.HasSuffix(base, ".pub") || base == "config"):
		return "an SSH key or its configuration", lamina.Medium
	case dir == ".azure" && strings.HasSuffix(base, ".json"), in == "gcloud/credentials.db", base == "application_default_credentials.json":
		return "another cloud's login", lamina.Medium
	case strings.HasSuffix(base, ".tfstate") || strings.HasSuffix(base, ".tfstate.backup"):
		return "Terraform's state, which has every attribute in clear", lamina.Medium
	case base == "terraform.tfvars" || strings.HasSuffix(base, ".auto.tfvars") || base == "terraform.tfvars.json":
		return "Terraform's variables", lamina.Medium
	case base == ".netrc" || base == "_netrc" || base == ".git-credentials" || base == ".pgpass" || base == ".my.cnf" || base == ".vault-token" || base == ".htpasswd":
		return "a file of passwords", lamina.Medium
	case strings.HasSuffix(base, "_history") && strings.HasPrefix(base, "."):
		return "the history of what somebody typed", lamina.Medium
	}
	if rest, ok := strings.CutPrefix(base, ".env"); ok {
		if rest == "" || rest == "rc" {
			return "an environment's variables", lamina.Medium
		}
		if kind, ok := strings.CutPrefix(rest, "."); ok {
			switch kind {
			case "example", "sample", "template", "dist", "defaults", "schema", "vault", "d.ts", "js", "ts", "py":
				return "", ""
			}
			if strings.HasSuffix(kind, ".example") || strings.HasSuffix(kind, ".sample") || strings.HasSuffix(kind, ".template") {
				return "", ""
			}
			return "an environment's variables (" + kind + ")", lamina.Medium
		}
	}
	return "", ""
}
