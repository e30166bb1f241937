package layers

import "strings"

// AccessKeyID is the id of an AWS access key that belongs to nobody. It is put
// together here so that no file holds it whole.
func AccessKeyID() string { return "AK" + "IA" + "BTX3GSDSQBNDZV4R" }

// secretKey goes with AccessKeyID.
func secretKey() string {
	return strings.Join([]string{"q8Zr", "5tUvWx3B", "nM0pLkJhGfDsAe7Y", "cT2iRo9u"}, "") + "bN4mXz1V"
}

// leaking are layers that give away what a public share would show.
func leaking() []Sample {
	key := "[default]\naws_access_key_id = " + AccessKeyID() + "\naws_secret_access_key = " + secretKey() + "\n"
	pem := "-----BEGIN RSA PRIVATE " + "KEY-----\n" + strings.Repeat("MIIEpAIBAAKCAQEA7vJq8Zr5tUvWx3BnM0pLkJhGfDsAe7YcT2iRo9ubN4mXz1V\n", 20) + "-----END RSA PRIVATE " + "KEY-----\n"
	var out []Sample
	// The seven places of which a widely used scanner searches three.
	for _, place := range []string{
		"python/acme/cfg.py", "etc/settings", "ruby/gems/3.3.0/gems/acme-1/lib/acme.rb",
		"python/lib/python3.12/site-packages/acme/cfg.py", "nodejs/node_modules/acme/cfg.js", "vendor/bundle/ruby/3.3.0/gems/a/a.rb",
		"python/acme-1.0.dist-info/direct_url.json",
	} {
		out = append(out, one("T25/key/"+strings.ReplaceAll(place, "/", "_"), py, ids("baked-secret"), File{place, key, 0}))
	}
	return append(out,
		one("T25/file/pem", py, ids("baked-secret"), File{"etc/server.key", pem, 0}),
		one("T25/file/npmrc", node, ids("baked-secret"), File{"nodejs/.npmrc", "//registry.example.invalid/:_authToken=npm" + "_Q8Zr5tUvWx3BnM0pLkJhGfDsAe7YcT2iRo9u\n", 0}),
		one("T25/file/dotenv", py, ids("baked-secret"), File{"python/acme/.env", "DB_URL=postgres://app:" + "Vx3BnM0pLkJh" + "@db.example.invalid/prod\n" + key, 0}),
		one("T25/file/tfstate", py, ids("environment-file"), File{"infra/terraform.tfstate", `{"version":4,"resources":[]}`, 0}),
		one("T25/file/aws", py, ids("environment-file"), File{"python/.aws/config", "[profile build]\nregion = eu-west-1\nrole_arn = arn:aws:iam::111122223333:role/build\n", 0}),
		one("T25/file/git", py, ids("source-control-data"), File{".git/config", "[remote \"origin\"]\n\turl = https://git.example.invalid/acme/app.git\n", 0}, File{".git/HEAD", "ref: refs/heads/main\n", 0}),
		one("T25/nested/zip", py, ids("baked-secret"), File{"python/acme/data.zip", string(Zip(File{"cfg", key, 0})), 0}),
		one("T25/node/source-map", node, ids("source-map"), File{"nodejs/app.js.map", `{"version":3,"sources":["../src/payments/private.ts"],"sourcesContent":["export const internal = 1"]}`, 0}, File{"nodejs/app.js", "exports.x=1\n//# sourceMappingURL=app.js.map\n", 0}),
	)
}

// clean are honest layers that use what attacks use.
func clean() []Sample {
	return []Sample{
		one("clean/python/package", py, nil, wheel("acmelib", "1.0", map[string]string{"acmelib/__init__.py": "import os\nREGION = os.environ.get('AWS_REGION', '')\n", "acmelib/client.py": "import urllib.request\ndef get(u):\n    return urllib.request.urlopen(u).read()\n"}, nil)...),
		one("clean/python/signer", py, nil, wheel("signer", "2.0", map[string]string{"signer/__init__.py": "import hashlib, hmac, os\nimport urllib.request\ndef sign(service, region, body):\n    key = os.environ['AWS_SECRET_ACCESS_KEY']\n    sig = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()\n    r = urllib.request.Request('https://' + service + '.' + region + '.amazonaws.com', data=body, headers={'x-amz-security-token': os.environ['AWS_SESSION_TOKEN'], 'authorization': sig})\n    return urllib.request.urlopen(r)\n"}, nil)...),
		one("clean/node/package", node, nil, File{"nodejs/node_modules/left/package.json", `{"name":"left","version":"1.0.0","main":"index.js","license":"MIT"}`, 0}, File{"nodejs/node_modules/left/index.js", "'use strict';\nmodule.exports = s => String(s).trimStart();\n", 0}),
		one("clean/python/compiled", py, nil, append(wheel("compiled", "1.0", map[string]string{"compiled/__init__.py": "x = 1\n"}, nil),
			File{site + "compiled/__pycache__/__init__.cpython-312.pyc", pyc(0, 1767323046, 6), 0}, File{site + "bin/compiled", "#!/var/lang/bin/python3.12\nimport compiled\n", 0o755})...),
		one("clean/node/locked", node, nil, locked(map[string]string{"left": "1.0.0", "pruned": "2.0.0"}, map[string]string{"left": "1.0.0"})...),
		one("clean/node/env-config", node, nil, File{"nodejs/node_modules/cfg/package.json", `{"name":"cfg","version":"1.0.0","main":"index.js"}`, 0}, File{"nodejs/node_modules/cfg/index.js", "const table = process.env.TABLE_NAME || 'x';\nexports.debug = process.env.DEBUG === '1';\nexports.table = table;\n", 0}),
		one("clean/bin/tool", "provided.al2023", nil, File{"bin/tool", "#!/bin/sh\nexec echo \"$@\"\n", 0o755}),
		one("clean/java/library", "java21", nil, File{"java/lib/acme.jar", string(Zip(File{"META-INF/MANIFEST.MF", "Manifest-Version: 1.0\nImplementation-Title: acme\nImplementation-Version: 1.0\n", 0}, File{"org/acme/A.class", "\xca\xfe\xba\xbe\x00\x00\x00\x41", 0})), 0}),
		one("clean/ruby/gem", "ruby3.3", nil, File{"ruby/gems/3.3.0/gems/acme-1.0/lib/acme.rb", "module Acme; X = 1; end\n", 0}, File{"ruby/gems/3.3.0/specifications/acme-1.0.gemspec", "Gem::Specification.new do |s|\n  s.name = \"acme\".freeze\n  s.version = \"1.0\"\nend\n", 0}),
		one("clean/python/docs-example", py, nil, File{"python/acme/docs.py", "KEY = '" + "AK" + "IAIOSFODNN7EXAMPLE'\n", 0}),
	}
}
