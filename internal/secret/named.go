package secret

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/lamina-sec/lamina"
)

// namedMax is how much of a special file is read by its format, in bytes.
const namedMax = 8 << 20

// A namedFile is a file that holds credentials by convention, whatever they look like.
type namedFile struct {
	kind, provider, title, url string
	severity                   lamina.Severity
	// names are base names, or ends of paths with their folders, in lower case; a
	// leading * stands for anything in the base name.
	names []string
	// pattern finds the values, each in its group v. Without one the file itself
	// is the credential if magic fits its beginning.
	pattern string
	magic   []string
	// machine: values are made by machines, so the last four may be shown.
	machine bool
	// strict asks for a value that looks random: the names are common ones.
	strict bool
}

const (
	quoted   = `["']?(?P<v>[^\s"'#;,]{4,512})`
	jsonText = `"(?P<v>[^"\\\s]{4,})"`
)

// namedFiles lists the special files.
func namedFiles() []namedFile {
	const (
		crit, high, med = lamina.Critical, lamina.High, lamina.Medium
	)
	return []namedFile{
		{kind: "npmrc-credential", provider: "npm", title: "registry credential in .npmrc", url: "https://docs.npmjs.com/cli/v11/configuring-npm/npmrc#auth-related-configuration", severity: high, names: []string{".npmrc", "npmrc"}, pattern: `(?m)(?:_authToken|_auth|_password)[ \t]*=[ \t]*` + quoted, machine: true},
		{kind: "yarnrc-credential", provider: "Yarn", title: "registry credential in .yarnrc.yml", url: "https://yarnpkg.com/configuration/yarnrc#npmAuthToken", severity: high, names: []string{".yarnrc.yml", ".yarnrc"}, pattern: `(?m)(?:npmAuthToken|npmAuthIdent|_authToken)["']?[ \t]*[:= ][ \t]*` + quoted, machine: true},
		{kind: "pypirc-credential", provider: "Python Packaging Authority", title: "password in .pypirc", url: "https://packaging.python.org/en/latest/specifications/pypirc/", severity: high, names: []string{".pypirc"}, pattern: `(?m)^[ \t]*password[ \t]*[=:][ \t]*(?P<v>\S{4,512})`},
		{kind: "pip-index-credential", provider: "pip", title: "password in an index URL", url: "https://pip.pypa.io/en/stable/topics/authentication/", severity: high, names: []string{"pip.conf", "pip.ini", "requirements*.txt", "constraints*.txt", "uv.toml", "pyproject.toml"}, pattern: `(?m)(?:index-url|extra-index-url|find-links|url)[ \t]*[= ]["' \t]*[a-z+]{3,10}://[^:@/\s]{0,128}:(?P<v>[^@/\s]{4,512})@`},
		{kind: "poetry-credential", provider: "Poetry", title: "repository password in auth.toml", url: "https://python-poetry.org/docs/repositories/#configuring-credentials", severity: high, names: []string{"pypoetry/auth.toml"}, pattern: `(?m)^[ \t]*[a-z-]+[ \t]*=[ \t]*"(?P<v>[^"\s]{8,512})"`},
		{kind: "netrc-password", provider: "GNU inetutils", title: "password in .netrc", url: "https://www.gnu.org/software/inetutils/manual/html_node/The-_002enetrc-file.html", severity: high, names: []string{".netrc", "_netrc", "netrc"}, pattern: `(?:^|\s)password\s+(?P<v>\S{4,512})`},
		{kind: "git-credentials", provider: "Git", title: "stored credential", url: "https://git-scm.com/docs/git-credential-store", severity: high, names: []string{".git-credentials", "git/credentials"}, pattern: `(?m)^[a-z]+://[^:@/\s]*:(?P<v>[^@\s]{4,512})@`},
		{kind: "git-config-credential", provider: "Git", title: "credential in .git/config", url: "https://git-scm.com/docs/git-config", severity: high, names: []string{".git/config", ".gitconfig", ".gitmodules"}, pattern: `(?im)(?:url[ \t]*=[ \t]*[a-z]+://[^:@/\s]*:(?P<v>[^@\s]{4,512})@|extraheader[ \t]*=[ \t]*authorization:[ \t]*(?:basic|bearer)[ \t]+(?P<v2>\S{8,}))`},
		{kind: "docker-registry-auth", provider: "Docker", title: "registry credential in config.json", url: "https://docs.docker.com/reference/cli/docker/login/#credential-stores", severity: high, names: []string{".docker/config.json", ".dockercfg", ".dockerconfigjson", "containers/auth.json"}, pattern: `"(?:auth|identitytoken|registrytoken)"\s*:\s*` + jsonText, machine: true},
		{kind: "aws-sso-cache", provider: "Amazon Web Services", title: "cached session token of the CLI", url: "https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-sso.html", severity: med, names: []string{".aws/sso/cache/*.json", ".aws/cli/cache/*.json"}, pattern: `"(?:accessToken|refreshToken|clientSecret|SecretAccessKey|SessionToken)"\s*:\s*` + jsonText, machine: true},
		{kind: "terraform-state-secret", provider: "HashiCorp", title: "sensitive attribute in Terraform state", url: "https://developer.hashicorp.com/terraform/language/state/sensitive-data", severity: high, names: []string{"*.tfstate", "*.tfstate.backup", "errored.tfstate"}, pattern: `"(?:[a-z0-9_]*(?:password|secret|passphrase|private_key|private_key_pem|token|api_key|access_key|connection_string|client_key))"\s*:\s*"(?P<v>[^"]{6,})"`},
		{kind: "terraform-variable-secret", provider: "HashiCorp", title: "sensitive value in .tfvars", url: "https://developer.hashicorp.com/terraform/language/values/variables", severity: med, names: []string{"*.tfvars", "*.tfvars.json"}, pattern: `(?im)^[ \t]*"?[a-z0-9_]*(?:password|secret|token|private_key|api_key)[a-z0-9_]*"?[ \t]*[=:][ \t]*"(?P<v>[^"\s]{6,})"`},
		{kind: "terraform-cli-credential", provider: "HashiCorp", title: "credential of the Terraform CLI", url: "https://developer.hashicorp.com/terraform/cli/config/config-file#credentials", severity: high, names: []string{".terraformrc", "terraform.rc", "credentials.tfrc.json"}, pattern: `"?token"?\s*[=:]\s*` + jsonText, machine: true},
		{kind: "kubeconfig-credential", provider: "Kubernetes", title: "credential in a kubeconfig", url: "https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/", severity: high, names: []string{".kube/config", "kubeconfig", "kubeconfig.y*ml", "*.kubeconfig"}, pattern: `(?m)(?:client-key-data|token|password)"?:[ \t]*["']?(?P<v>[^\s"',]{8,})`, machine: true},
		{kind: "key-store", provider: "Java and PKCS #12", title: "key store file", url: "https://www.rfc-editor.org/rfc/rfc7292", severity: med, names: []string{"*.pfx", "*.p12", "*.jks", "*.keystore", "*.jceks", "*.bks"}, magic: []string{"\x30\x82", "\x30\x80", "\xfe\xed\xfe\xed", "\xce\xce\xce\xce", "\x00\x00\x00\x02\x00\x00\x00"}},
		{kind: "keepass-database", provider: "KeePass", title: "password database", url: "https://keepass.info/help/kb/kdbx.html", severity: med, names: []string{"*.kdbx", "*.kdb"}, magic: []string{"\x03\xd9\xa2\x9a"}},
		{kind: "htpasswd-hash", provider: "Apache", title: "password hash in .htpasswd", url: "https://httpd.apache.org/docs/2.4/misc/password_encryptions.html", severity: med, names: []string{".htpasswd", "htpasswd", "*.htpasswd"}, pattern: `(?m)^[^:\s#]{1,64}:(?P<v>(?:\$(?:apr1|2[aby]|5|6)\$\S{20,120}|\{SHA\}\S{28}|[./0-9A-Za-z]{13}))\s*$`, machine: true},
		{kind: "shadow-hash", provider: "Linux", title: "password hash in a shadow file", url: "https://man7.org/linux/man-pages/man5/shadow.5.html", severity: med, names: []string{"etc/shadow", "etc/shadow-", "etc/gshadow"}, pattern: `(?m)^[^:\s]{1,64}:(?P<v>\$[0-9a-z]{1,8}\$[^:\s]{20,200}):`, machine: true},
		{kind: "pgpass-password", provider: "PostgreSQL", title: "password in .pgpass", url: "https://www.postgresql.org/docs/current/libpq-pgpass.html", severity: high, names: []string{".pgpass", "pgpass.conf"}, pattern: `(?m)^[^:#\s]+:[^:\s]*:[^:\s]*:[^:\s]*:(?P<v>\S{4,256})$`},
		{kind: "mysql-option-password", provider: "MySQL", title: "password in an option file", url: "https://dev.mysql.com/doc/refman/8.4/en/option-files.html", severity: high, names: []string{".my.cnf", "my.cnf", "my.ini"}, pattern: `(?m)^[ \t]*password[ \t]*=[ \t]*` + quoted},
		{kind: "dotenv-secret", provider: "dotenv", title: "secret in an environment file", url: "https://12factor.net/config", severity: med, names: []string{".env", ".env.*", "*.env", ".envrc", "env.production"}, pattern: `(?im)^[ \t]*(?:export[ \t]+)?[a-z0-9_]*(?:passw(?:or)?d|secret|token|api_?key|private_?key|credential|access_?key)[a-z0-9_]*[ \t]*=[ \t]*["']?(?P<v>[^\s"'#]{8,})`},
		{kind: "maven-password", provider: "Apache Maven", title: "password in settings.xml", url: "https://maven.apache.org/settings.html#servers", severity: high, names: []string{"settings.xml", "settings-security.xml"}, pattern: `<(?:password|passphrase|master)>(?P<v>[^<\s]{4,512})</`},
		{kind: "nuget-password", provider: "NuGet", title: "password in nuget.config", url: "https://learn.microsoft.com/en-us/nuget/reference/nuget-config-file#packagesourcecredentials", severity: high, names: []string{"nuget.config"}, pattern: `(?i)key="(?:clear_?text)?password"\s+value="(?P<v>[^"]{4,512})"`},
		{kind: "gradle-credential", provider: "Gradle", title: "credential in gradle.properties", url: "https://docs.gradle.org/current/userguide/build_environment.html", severity: med, names: []string{"gradle.properties"}, pattern: `(?im)^[ \t]*[a-z0-9_.]*(?:password|secret|token|apikey)[a-z0-9_.]*[ \t]*[=:][ \t]*(?P<v>\S{6,512})`},
		{kind: "s3cmd-secret", provider: "s3cmd", title: "secret key in .s3cfg", url: "https://s3tools.org/kb/item14.htm", severity: crit, names: []string{".s3cfg", ".boto"}, pattern: `(?m)^[ \t]*(?:secret_key|aws_secret_access_key|gs_secret_access_key)[ \t]*=[ \t]*(?P<v>\S{8,256})`, machine: true},
		{kind: "rclone-credential", provider: "rclone", title: "credential in rclone.conf", url: "https://rclone.org/docs/#configuration-encryption", severity: high, names: []string{"rclone.conf"}, pattern: `(?m)^[ \t]*(?:pass|password|secret_access_key|token|client_secret|key)[ \t]*=[ \t]*(?P<v>\S{7,})`, machine: true},
		{kind: "gcloud-credential", provider: "Google Cloud", title: "user credential of the CLI", url: "https://cloud.google.com/docs/authentication/application-default-credentials", severity: high, names: []string{"application_default_credentials.json", "gcloud/legacy_credentials/*/adc.json", "adc.json"}, pattern: `"(?:refresh_token|client_secret)"\s*:\s*` + jsonText, machine: true},
		{kind: "azure-cli-token", provider: "Microsoft Azure", title: "cached token of the CLI", url: "https://learn.microsoft.com/en-us/cli/azure/msal-based-azure-cli", severity: high, names: []string{".azure/accesstokens.json", "msal_token_cache.json", "service_principal_entries.json"}, pattern: `"(?:accessToken|refreshToken|secret|client_secret)"\s*:\s*` + jsonText, machine: true},
		{kind: "cargo-credential", provider: "Cargo", title: "registry token", url: "https://doc.rust-lang.org/cargo/reference/config.html#credentials", severity: high, names: []string{".cargo/credentials", ".cargo/credentials.toml"}, pattern: `(?m)^[ \t]*token[ \t]*=[ \t]*` + jsonText, machine: true},
		{kind: "gem-credential", provider: "RubyGems", title: "API key in .gem/credentials", url: "https://guides.rubygems.org/command-reference/#gem-signin", severity: high, names: []string{".gem/credentials", "gem/credentials"}, pattern: `(?m)^:?[\w./:-]+:[ \t]*["']?(?P<v>[^\s"']{16,256})`, machine: true},
		{kind: "bundler-credential", provider: "Bundler", title: "gem server credential", url: "https://bundler.io/man/bundle-config.1.html#CREDENTIALS-FOR-GEM-SOURCES", severity: high, names: []string{".bundle/config"}, pattern: `(?m)^BUNDLE_[A-Z0-9_]+__[A-Z0-9_]+:[ \t]*["']?(?:[^\s"':]+:)?(?P<v>[^\s"':]{6,256})["']?$`, strict: true},
		{kind: "composer-credential", provider: "Composer", title: "credential in auth.json", url: "https://getcomposer.org/doc/articles/authentication-for-private-packages.md", severity: high, names: []string{"auth.json"}, pattern: `"(?:password|token|github\.com|gitlab\.com|bearer|consumer-secret)"\s*:\s*` + jsonText},
		{kind: "databrickscfg-token", provider: "Databricks", title: "credential in .databrickscfg", url: "https://docs.databricks.com/aws/en/dev-tools/auth/config-profiles", severity: high, names: []string{".databrickscfg"}, pattern: `(?m)^[ \t]*(?:token|password|client_secret)[ \t]*=[ \t]*(?P<v>\S{6,512})`, machine: true},
		{kind: "sentryclirc-token", provider: "Sentry", title: "token in .sentryclirc", url: "https://docs.sentry.io/cli/configuration/", severity: high, names: []string{".sentryclirc"}, pattern: `(?m)^[ \t]*(?:token|api_key)[ \t]*=[ \t]*(?P<v>\S{16,})`, machine: true},
		{kind: "github-cli-token", provider: "GitHub", title: "token of gh or hub", url: "https://cli.github.com/manual/gh_auth_login", severity: high, names: []string{"gh/hosts.yml", ".config/hub"}, pattern: `(?m)oauth_token:[ \t]*(?P<v>\S{16,256})`, machine: true},
		{kind: "vault-token-file", provider: "HashiCorp", title: "token of the Vault CLI", url: "https://developer.hashicorp.com/vault/docs/commands/token-helper", severity: high, names: []string{".vault-token"}, pattern: `\A\s*(?P<v>[0-9A-Za-z._\-]{20,512})\s*\z`, machine: true},
		{kind: "rails-master-key", provider: "Ruby on Rails", title: "master key", url: "https://guides.rubyonrails.org/security.html#custom-credentials", severity: high, names: []string{"config/master.key", "config/credentials/*.key", "master.key"}, pattern: `\A\s*(?P<v>[0-9a-f]{32})\s*\z`, machine: true},
		{kind: "rails-database-password", provider: "Ruby on Rails", title: "password in database.yml", url: "https://guides.rubyonrails.org/configuring.html#configuring-a-database", severity: med, names: []string{"config/database.yml", "database.yaml"}, pattern: `(?m)^[ \t]+password:[ \t]*` + quoted},
		{kind: "spring-password", provider: "Spring", title: "password in application properties", url: "https://docs.spring.io/spring-boot/reference/features/external-config.html", severity: med, names: []string{"application*.properties", "application*.yml", "application*.yaml", "bootstrap.yml", "bootstrap.properties"}, pattern: `(?im)^[ \t]*[a-z0-9_.\-]*(?:password|secret)[ \t]*[=:][ \t]*` + quoted},
		{kind: "dotnet-settings-secret", provider: ".NET", title: "secret in appsettings", url: "https://learn.microsoft.com/en-us/aspnet/core/security/app-secrets", severity: med, names: []string{"appsettings*.json", "local.settings.json", "secrets.json"}, pattern: `(?i)"[a-z0-9_:.]*(?:password|secret|apikey|accesskey)"\s*:\s*` + jsonText},
		{kind: "sftp-editor-password", provider: "SFTP plugins of editors", title: "password in an upload configuration", url: "https://codexns.io/products/sftp_for_sublime/settings", severity: high, names: []string{"sftp-config.json", ".ftpconfig", ".vscode/sftp.json", ".remote-sync.json"}, pattern: `"(?:password|pass|passphrase)"\s*:\s*` + jsonText},
		{kind: "filezilla-password", provider: "FileZilla", title: "password of a site", url: "https://wiki.filezilla-project.org/Password_storage", severity: high, names: []string{"sitemanager.xml", "recentservers.xml", "filezilla.xml"}, pattern: `<Pass(?: encoding="base64")?>(?P<v>[^<\s]{4,512})</Pass>`},
		{kind: "wordpress-database-password", provider: "WordPress", title: "password in wp-config.php", url: "https://developer.wordpress.org/advanced-administration/wordpress/wp-config/", severity: high, names: []string{"wp-config.php"}, pattern: `define\(\s*['"]DB_PASSWORD['"]\s*,\s*['"](?P<v>[^'"\s]{4,256})['"]`},
		{kind: "pulumi-credential", provider: "Pulumi", title: "credential of the CLI", url: "https://www.pulumi.com/docs/iac/cli/commands/pulumi_login/", severity: high, names: []string{".pulumi/credentials.json"}, pattern: `"(?:accessToken)"\s*:\s*` + jsonText, machine: true},
		{kind: "kaggle-credential", provider: "Kaggle", title: "API key in kaggle.json", url: "https://www.kaggle.com/docs/api", severity: med, names: []string{"kaggle.json"}, pattern: `"key"\s*:\s*` + jsonText, machine: true},
		{kind: "snowflake-password", provider: "Snowflake", title: "password of a connection", url: "https://docs.snowflake.com/en/developer-guide/snowflake-cli/connecting/configure-connections", severity: high, names: []string{".snowsql/config", "snowflake/connections.toml", "snowflake/config.toml"}, pattern: `(?m)^[ \t]*(?:password|token|private_key_passphrase)[ \t]*=[ \t]*` + quoted},
		{kind: "mail-client-password", provider: "msmtp and mutt", title: "mail password", url: "https://marlam.de/msmtp/msmtp.html", severity: high, names: []string{".msmtprc", "msmtprc", ".muttrc", ".fetchmailrc"}, pattern: `(?im)(?:^[ \t]*password[ \t]+|(?:imap|smtp)_pass[ \t]*=[ \t]*|\bpass(?:word)?[ \t]+)` + quoted},
	}
}

// A compiledFile is a namedFile ready to use; its pattern is made at first use.
type compiledFile struct {
	namedFile
	// f carries the row into found.
	f    *compiled
	once sync.Once
	re   *regexp.Regexp
}

// fits reports whether the path, in lower case and with slashes, is one of the names.
func (n *namedFile) fits(name string) bool {
	for _, w := range n.names {
		part := name
		for range strings.Count(name, "/") - strings.Count(w, "/") {
			_, part, _ = strings.Cut(part, "/")
		}
		if strings.Count(part, "/") != strings.Count(w, "/") {
			continue
		}
		if ok, err := path.Match(w, part); err == nil && ok {
			return true
		}
	}
	return false
}

// index makes Engine.byBase.
func index(files []*compiledFile) map[string][]*compiledFile {
	m := map[string][]*compiledFile{}
	for _, n := range files {
		for _, w := range n.names {
			base := path.Base(w)
			switch ext := path.Ext(base); {
			case !strings.Contains(base, "*"):
				m[base] = append(m[base], n)
			case ext != "" && !strings.Contains(ext, "*"):
				m["*"+ext] = append(m["*"+ext], n)
			default:
				m[""] = append(m[""], n)
			}
		}
	}
	return m
}

// fitting returns the special files the path is one of.
func (e *Engine) fitting(name string) []*compiledFile {
	var out []*compiledFile
	base := path.Base(name)
	for _, key := range []string{base, "*" + path.Ext(base), ""} {
		for _, n := range e.byBase[key] {
			if n.fits(name) && !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
	}
	return out
}

// named reads data by the format its name says.
func (s *search) named(data []byte) {
	if s.hint.Path == "" {
		return
	}
	name := strings.ToLower(strings.ReplaceAll(s.hint.Path, "!/", "/"))
	for _, n := range s.e.fitting(name) {
		if n.pattern == "" {
			s.store(n, data)
			continue
		}
		if len(data) > namedMax {
			s.incomplete = "a special file is larger than 8 MiB: only known formats were looked for in its rest"
			data = data[:namedMax]
		}
		n.once.Do(func() { n.re = regexp.MustCompile(n.pattern) })
		line, counted := 1, 0
		for _, m := range n.re.FindAllSubmatchIndex(data, maxHits) {
			for g := 1; 2*g < len(m); g++ {
				begin, end := m[2*g], m[2*g+1]
				if begin < 0 || n.re.SubexpNames()[g] == "" {
					continue
				}
				line += bytes.Count(data[counted:begin], []byte("\n"))
				counted = begin
				s.judge(n.f, data, begin, end, []string{"file: " + n.title}, func() (int64, int, int) {
					if s.binary {
						return int64(begin), 0, end - begin
					}
					return int64(begin), line, end - begin
				})
			}
		}
	}
}

// store reports a file that is a credential as a whole.
func (s *search) store(n *compiledFile, data []byte) {
	for _, m := range n.magic {
		if bytes.HasPrefix(data, []byte(m)) {
			s.add(found{f: n.f, value: data[:min(len(data), 1<<16)], length: 1, severity: n.severity, confidence: Likely, evidence: []string{"file: " + n.title}})
			return
		}
	}
}

func compileNamed() []*compiledFile {
	var out []*compiledFile
	for _, n := range namedFiles() {
		f := format{
			kind: n.kind, provider: n.provider, title: n.title, url: n.url, severity: n.severity, confidence: Likely,
			secretive: !n.machine, byName: true,
		}
		switch {
		case n.strict:
			f.check = highEntropy
		case !n.machine:
			f.check = chosenStrength
		}
		out = append(out, &compiledFile{namedFile: n, f: &compiled{format: f}})
	}
	return out
}
