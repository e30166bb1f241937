package secret

import "github.com/lamina-sec/lamina"

const (
	docGitHub    = "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github#githubs-token-formats"
	docGitLab    = "https://docs.gitlab.com/security/tokens/#token-prefixes"
	docAtlassian = "https://support.atlassian.com/atlassian-account/docs/manage-api-tokens-for-your-atlassian-account/"
	docBitbucket = "https://support.atlassian.com/bitbucket-cloud/docs/access-tokens/"
	docSonar     = "https://docs.sonarsource.com/sonarqube-server/latest/user-guide/managing-tokens/"
)

// sourceFormats are credentials of code hosts, package registries and build services.
func sourceFormats() []format {
	const (
		crit, high, med = lamina.Critical, lamina.High, lamina.Medium
	)
	gitlab := func(kind, title, prefix string) format {
		// A routable token has its payload, a dot, two digits of length and seven of
		// checksum. An instance may put a prefix of its own and a hyphen before it
		// (https://gitlab.com/gitlab-org/gitlab/-/work_items/388379).
		return prefixed(kind, "GitLab", title, docGitLab, high, prefix, `(?:`+url64+`{27,300}\.[0-9a-z]{2}\.[0-9a-z]{9}|`+url64+`{20,50})`, wraps)
	}
	return []format{
		prefixed("github-personal-access-token", "GitHub", "personal access token (classic)", docGitHub, high, "ghp_", an+`{36}`, checked(crcToken), fixed, wraps),
		prefixed("github-oauth-token", "GitHub", "OAuth access token", docGitHub, high, "gho_", an+`{36}`, checked(crcToken), fixed, wraps),
		prefixed("github-user-to-server-token", "GitHub", "user access token of an app", docGitHub, high, "ghu_", an+`{36}`, checked(crcToken), fixed, wraps),
		prefixed("github-app-token", "GitHub", "installation access token", docGitHub, high, "ghs_", an+`{36}`, checked(crcToken), fixed, wraps),
		// Since April 2026 it may be the number of the app and a JWT, some 520 characters
		// (https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-an-installation-access-token-for-a-github-app).
		prefixed("github-app-token", "GitHub", "installation access token, stateless", docGitHub, high, "ghs_", `[0-9]{1,12}_eyJ`+url64+`{10,400}\.`+url64+`{20,1000}\.`+url64+`{20,600}`, edge("-."), reaching(2300), structured),
		prefixed("github-refresh-token", "GitHub", "refresh token of an app", docGitHub, high, "ghr_", an+`{36,76}`, fixed, wraps),
		prefixed("github-fine-grained-token", "GitHub", "fine-grained personal access token", docGitHub, high, "github_pat_", an+`{22}_`+an+`{59}`, fixed, wraps),
		gitlab("gitlab-personal-access-token", "personal, project or group access token", "glpat-"),
		gitlab("gitlab-deploy-token", "deploy token", "gldt-"),
		gitlab("gitlab-runner-token", "runner authentication token", "glrt-"),
		gitlab("gitlab-trigger-token", "pipeline trigger token", "glptt-"),
		gitlab("gitlab-feed-token", "feed token", "glft-"),
		gitlab("gitlab-incoming-mail-token", "incoming mail token", "glimt-"),
		gitlab("gitlab-agent-token", "agent for Kubernetes token", "glagent-"),
		gitlab("gitlab-scim-token", "SCIM token", "glsoat-"),
		gitlab("gitlab-feature-flags-token", "feature flags client token", "glffct-"),
		prefixed("gitlab-oauth-secret", "GitLab", "OAuth application secret", docGitLab, high, "gloas-", `[0-9a-f]{64}`, fixed),
		prefixed("gitlab-job-token", "GitLab", "CI/CD job token", docGitLab, med, "glcbt-", `[0-9a-zA-Z]{1,5}_`+url64+`{20,64}`, edge("-")),
		prefixed("gitlab-runner-registration-token", "GitLab", "runner registration token", docGitLab, high, "GR1348941", url64+`{20}`, edge("-")),
		prefixed("bitbucket-app-password", "Atlassian Bitbucket", "app password", "https://support.atlassian.com/bitbucket-cloud/docs/app-passwords/", high, "ATBB", an+`{32}`, fixed, observed),
		prefixed("bitbucket-access-token", "Atlassian Bitbucket", "repository, project or workspace access token", docBitbucket, high, "ATCTT3xFfG", `[0-9A-Za-z_\-=]{150,220}`, edge("-="), observed, reaching(600)),
		prefixed("atlassian-api-token", "Atlassian", "API token", docAtlassian, high, "ATATT3xFfG", `[0-9A-Za-z_\-=]{150,220}`, edge("-="), observed, reaching(600)),
		assigned("atlassian-api-token", "Atlassian", "API token, older format", docAtlassian, high, []string{"atlassian_api_token", "atlassian_token", "jira_api_token", "jira_token", "confluence_token", "confluence_api_token"}, an+`{24}`, observed),

		prefixed("npm-access-token", "npm", "access token", "https://docs.npmjs.com/about-access-tokens", high, "npm_", an+`{36}`, checked(crcToken), fixed, wraps),
		prefixed("pypi-api-token", "Python Package Index", "API token", "https://pypi.org/help/#apitoken", crit, "pypi-AgEIcHlwaS5vcmc", url64+`{50,1000}`, reaching(1100), structured, edge("-"), wraps, show(5)),
		prefixed("test-pypi-api-token", "Python Package Index", "API token of the test index", "https://pypi.org/help/#apitoken", med, "pypi-AgENdGVzdC5weXBpLm9yZw", url64+`{50,1000}`, reaching(1100), structured, edge("-"), show(5)),
		prefixed("rubygems-api-key", "RubyGems.org", "API key", "https://guides.rubygems.org/api-key-scopes/", high, "rubygems_", hexLow+`{48}`, fixed),
		prefixed("nuget-api-key", "NuGet", "API key", "https://learn.microsoft.com/en-us/nuget/nuget-org/scoped-api-keys", high, "oy2", lan+`{43}`, checked(mixed), observed),
		assigned("crates-io-token", "crates.io", "API token", "https://doc.rust-lang.org/cargo/reference/publishing.html", high, []string{"cargo_registry_token"}, `cio`+an+`{32}`, observed, likely),
		prefixed("docker-hub-pat", "Docker", "personal access token", "https://docs.docker.com/security/access-tokens/", high, "dckr_pat_", url64+`{27}`, edge("-"), wraps, observed),
		prefixed("docker-hub-oat", "Docker", "organisation access token", "https://docs.docker.com/enterprise/security/access-tokens/", high, "dckr_oat_", url64+`{27,40}`, edge("-"), observed),
		prefixed("artifactory-api-key", "JFrog", "Artifactory API key", "https://jfrog.com/help/r/jfrog-platform-administration-documentation/api-key", high, "AKCp", an+`{69}`, fixed, observed),
		prefixed("artifactory-reference-token", "JFrog", "reference token", "https://jfrog.com/help/r/jfrog-platform-administration-documentation/reference-token", high, "cmVmdGtuOj", an+`{54}`, fixed, observed),
		prefixed("clojars-deploy-token", "Clojars", "deploy token", "https://github.com/clojars/clojars-web/wiki/Deploy-Tokens", high, "CLOJARS_", `[0-9a-z]{60}`, fixed),
		prefixed("packagist-api-token", "Packagist", "organisation or user token", "https://packagist.com/docs/composer-authentication", high, "packagist_", `[ou][ru]t_`+hexLow+`{68}`, fixed),
		prefixed("circleci-personal-token", "CircleCI", "personal API token", "https://circleci.com/docs/managing-api-tokens/", high, "CCIPAT_", an+`{22}_`+hexLow+`{40}`, fixed),
		prefixed("circleci-project-token", "CircleCI", "project API token", "https://circleci.com/docs/managing-api-tokens/", high, "CCIPRJ_", an+`{22}_`+hexLow+`{40}`, fixed),
		prefixed("buildkite-api-token", "Buildkite", "API access token", "https://buildkite.com/docs/apis/managing-api-tokens", high, "bkua_", hexLow+`{40}`, fixed),
		assigned("codecov-token", "Codecov", "upload token", "https://docs.codecov.com/docs/codecov-tokens", med, []string{"codecov_token"}, uuid),
		assigned("travis-ci-token", "Travis CI", "API token", "https://docs.travis-ci.com/api", med, []string{"travis_token", "travis_api_token"}, an+`{20,22}`, observed),
		prefixed("sonarqube-user-token", "Sonar", "user token", docSonar, high, "squ_", hexLow+`{40}`, fixed),
		prefixed("sonarqube-project-token", "Sonar", "project analysis token", docSonar, med, "sqp_", hexLow+`{40}`, fixed),
		prefixed("sonarqube-global-token", "Sonar", "global analysis token", docSonar, high, "sqa_", hexLow+`{40}`, fixed),
		assigned("snyk-api-token", "Snyk", "API token", "https://docs.snyk.io/snyk-api/authentication-for-api", high, []string{"snyk_token", "snyk_api_token"}, uuid),
		prefixed("sourcegraph-access-token", "Sourcegraph", "access token", "https://sourcegraph.com/docs/cli/how-tos/creating_an_access_token", high, "sgp_", `(?:`+hexLow+`{16}_|local_)?`+hexLow+`{40}`, observed),
		prefixed("postman-api-key", "Postman", "API key", "https://learning.postman.com/docs/developer/postman-api/authentication/", high, "PMAK-", hexLow+`{24}-`+hexLow+`{34}`, fixed, edge("-"), observed),
		prefixed("figma-pat", "Figma", "personal access token", "https://www.figma.com/developers/api#access-tokens", med, "figd_", url64+`{40}`, edge("-"), observed),
		prefixed("linear-api-key", "Linear", "API key", "https://linear.app/developers/graphql#personal-api-keys", high, "lin_api_", an+`{40}`, fixed, observed),
		prefixed("linear-oauth-token", "Linear", "OAuth token", "https://linear.app/developers/oauth-2-0-authentication", high, "lin_oauth_", hexLow+`{64}`, fixed, observed),
		prefixed("openshift-token", "Red Hat OpenShift", "OAuth access token", "https://docs.redhat.com/en/documentation/openshift_container_platform/4.14/html/authentication_and_authorization/configuring-internal-oauth", high, "sha256~", url64+`{43}`, edge("-"), fixed),
		prefixed("launchdarkly-api-token", "LaunchDarkly", "API access token", "https://launchdarkly.com/docs/home/account/api", high, "api-", uuid, edge("-"), observed, possible),
		prefixed("launchdarkly-sdk-key", "LaunchDarkly", "server-side SDK key", "https://launchdarkly.com/docs/sdk/concepts/client-side-server-side", med, "sdk-", uuid, edge("-"), observed, possible),
		prefixed("prefect-api-key", "Prefect", "API key", "https://docs.prefect.io/v3/how-to-guides/cloud/manage-users/api-keys", high, "pnu_", an+`{36}`, fixed, observed),
		assigned("jenkins-api-token", "Jenkins", "API token", "https://www.jenkins.io/doc/book/system-administration/authenticating-scripted-clients/", high, []string{"jenkins_token", "jenkins_api_token"}, `11`+hexLow+`{32}`),
	}
}
