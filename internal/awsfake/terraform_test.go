package awsfake_test

import (
	"context"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lamina-sec/lamina/internal/awsfake"
)

// terraformFile makes what the provider's resources for layers are about.
const terraformFile = `
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "ACCESS"
  secret_key                  = "HIDDEN"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  skip_region_validation      = true
  max_retries                 = 1
  endpoints {
    lambda = "ENDPOINT"
  }
}
resource "aws_lambda_layer_version" "utils" {
  layer_name          = "utils"
  filename            = "layer.zip"
  compatible_runtimes = ["python3.12"]
}
resource "aws_lambda_layer_version_permission" "partner" {
  layer_name     = aws_lambda_layer_version.utils.layer_name
  version_number = aws_lambda_layer_version.utils.version
  statement_id   = "partner"
  action         = "lambda:GetLayerVersion"
  principal      = "444455556666"
}
`

// What terraform applies to awsfake it finds again as it left it: a plan after
// that has no changes. Neither terraform nor its provider is ours. It runs where
// terraform finds the provider without a network: in TF_PLUGIN_CACHE_DIR or
// where terraform init -plugin-dir is told to look, LAMINA_TERRAFORM_PLUGINS.
func TestTerraform(t *testing.T) {
	if os.Getenv("LAMINA_INTEGRATION") == "" {
		t.Skip("make test-integration runs it")
	}
	terraform, err := exec.LookPath("terraform")
	if err != nil {
		t.Skip("terraform is not installed")
	}
	plugins := os.Getenv("LAMINA_TERRAFORM_PLUGINS")
	if plugins == "" {
		t.Skip("terraform is installed, its AWS provider is not: LAMINA_TERRAFORM_PLUGINS names the folder of one (terraform providers mirror DIR makes it)")
	}
	fake := awsfake.New(1, time.Date(2026, 6, 18, 12, 0, 0, 0, time.UTC))
	server := httptest.NewServer(fake)
	defer server.Close()
	id, secret := fake.Credentials(awsfake.Caller{Account: "111122223333", Role: "terraform", Session: "test", SourceIP: "192.0.2.1", UserAgent: "terraform"})
	dir := t.TempDir()
	text := strings.NewReplacer("ACCESS", id, "HIDDEN", secret, "ENDPOINT", server.URL).Replace(terraformFile)
	for name, data := range map[string][]byte{"main.tf": []byte(text), "layer.zip": emptyZip} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
		defer cancel()
		c := exec.CommandContext(ctx, terraform, args...)
		c.Dir, c.Env = dir, append(os.Environ(), "TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1")
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("terraform %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	run("init", "-input=false", "-no-color", "-plugin-dir="+plugins)
	run("apply", "-input=false", "-no-color", "-auto-approve")
	run("plan", "-input=false", "-no-color", "-detailed-exitcode") // 2 when there are changes
	run("destroy", "-input=false", "-no-color", "-auto-approve")
	if n := fake.Calls(); len(n) == 0 {
		t.Error("terraform called nothing")
	}
}
