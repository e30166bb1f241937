package secret

import "github.com/lamina-sec/lamina"

const (
	docOpenAI    = "https://platform.openai.com/docs/api-reference/authentication"
	docAnthropic = "https://docs.anthropic.com/en/api/admin-api/apikeys/get-api-key"
	docLangSmith = "https://docs.langchain.com/langsmith/create-account-api-key"
)

// modelFormats are credentials of services that run or store machine learning models.
func modelFormats() []format {
	const (
		high, med = lamina.High, lamina.Medium
	)
	return []format{
		{
			kind: "openai-api-key", provider: "OpenAI", title: "user API key", url: docOpenAI, severity: high, observed: true, show: 3, edge: "-", fixed: true,
			anchors: []string{"T3BlbkFJ"}, lead: base62 + "-", leadMin: 23, leadMax: 23, pattern: `sk-` + an + `{20}T3BlbkFJ` + an + `{20}`,
		},
		prefixed("openai-project-key", "OpenAI", "project API key", docOpenAI, high, "sk-proj-", url64+`{20,200}`, edge("-"), checked(openAI), observed, wraps),
		prefixed("openai-service-account-key", "OpenAI", "service account key", docOpenAI, high, "sk-svcacct-", url64+`{20,200}`, edge("-"), checked(openAI), observed, wraps),
		prefixed("openai-admin-key", "OpenAI", "admin key", docOpenAI, high, "sk-admin-", url64+`{20,200}`, edge("-"), checked(openAI), observed, wraps),
		prefixed("anthropic-api-key", "Anthropic", "API key", docAnthropic, high, "sk-ant-api03-", url64+`{93}AA`, edge("-"), fixed, observed, wraps),
		prefixed("anthropic-admin-key", "Anthropic", "admin API key", docAnthropic, high, "sk-ant-admin01-", url64+`{93}AA`, edge("-"), fixed, observed, wraps),
		prefixed("anthropic-oauth-token", "Anthropic", "OAuth token", docAnthropic, high, "sk-ant-oat01-", url64+`{80,110}`, edge("-"), observed),
		prefixed("hugging-face-token", "Hugging Face", "user access token", "https://huggingface.co/docs/hub/security-tokens", high, "hf_", `[A-Za-z0-9]{34,37}`, checked(mixed), observed, wraps),
		prefixed("hugging-face-org-token", "Hugging Face", "organisation API token", "https://huggingface.co/docs/hub/security-tokens", high, "api_org_", `[A-Za-z]{34}`, fixed, observed),
		prefixed("replicate-api-token", "Replicate", "API token", "https://replicate.com/docs/topics/security/api-tokens", high, "r8_", an+`{37}`, fixed, observed),
		prefixed("groq-api-key", "Groq", "API key", "https://console.groq.com/docs/quickstart", high, "gsk_", an+`{52}`, fixed, observed),
		prefixed("perplexity-api-key", "Perplexity", "API key", "https://docs.perplexity.ai/guides/api-key-management", high, "pplx-", an+`{48}`, fixed, edge("-"), observed),
		prefixed("xai-api-key", "xAI", "API key", "https://docs.x.ai/docs/tutorial", high, "xai-", an+`{80}`, fixed, edge("-"), observed),
		assigned("mistral-api-key", "Mistral AI", "API key", "https://docs.mistral.ai/getting-started/quickstart/", high, []string{"mistral_api_key"}, an+`{32}`),
		assigned("cohere-api-key", "Cohere", "API key", "https://docs.cohere.com/docs/rate-limits", high, []string{"cohere_api_key", "co_api_key"}, an+`{40}`),
		assigned("deepseek-api-key", "DeepSeek", "API key", "https://api-docs.deepseek.com/", high, []string{"deepseek_api_key"}, `sk-`+hexLow+`{32}`),
		prefixed("together-api-key", "Together AI", "API key", "https://docs.together.ai/docs/quickstart", high, "tgp_v1_", url64+`{43}`, edge("-"), observed),
		assigned("fireworks-api-key", "Fireworks AI", "API key", "https://docs.fireworks.ai/getting-started/quickstart", high, []string{"fireworks_api_key"}, `fw_`+an+`{22,24}`, observed),
		assigned("elevenlabs-api-key", "ElevenLabs", "API key", "https://elevenlabs.io/docs/api-reference/authentication", high, []string{"elevenlabs_api_key", "eleven_api_key", "xi-api-key", "xi_api_key"}, `(?:sk_`+hexLow+`{48}|`+hexLow+`{32})`),
		prefixed("langsmith-personal-token", "LangSmith", "personal access token", docLangSmith, high, "lsv2_pt_", hexLow+`{32}_`+hexLow+`{10}`, fixed, observed),
		prefixed("langsmith-service-key", "LangSmith", "service key", docLangSmith, high, "lsv2_sk_", hexLow+`{32}_`+hexLow+`{10}`, fixed, observed),
		prefixed("langfuse-secret-key", "Langfuse", "secret key", "https://langfuse.com/docs/api-and-data-platform/features/public-api", high, "sk-lf-", uuid, fixed, edge("-")),
		prefixed("pinecone-api-key", "Pinecone", "API key", "https://docs.pinecone.io/guides/projects/manage-api-keys", high, "pcsk_", an+`{5,6}_`+an+`{60,64}`, observed),
		prefixed("wandb-api-key", "Weights & Biases", "API key", "https://docs.wandb.ai/support/find_api_key/", high, "wandb_v1_", url64+`{60,90}`, edge("-"), observed),
		assigned("wandb-api-key", "Weights & Biases", "API key, older format", "https://docs.wandb.ai/support/find_api_key/", high, []string{"wandb_api_key"}, hexLow+`{40}`),
		prefixed("nvidia-api-key", "NVIDIA", "API key", "https://docs.api.nvidia.com/nim/docs/api-quickstart", high, "nvapi-", url64+`{60,70}`, edge("-"), observed),
		prefixed("openrouter-api-key", "OpenRouter", "API key", "https://openrouter.ai/docs/api-reference/authentication", high, "sk-or-v1-", hexLow+`{64}`, fixed, edge("-")),
		prefixed("cerebras-api-key", "Cerebras", "API key", "https://inference-docs.cerebras.ai/quickstart", high, "csk-", lan+`{48}`, fixed, edge("-"), observed),
		assigned("voyage-api-key", "Voyage AI", "API key", "https://docs.voyageai.com/docs/api-key-and-installation", high, []string{"voyage_api_key", "voyageai_api_key"}, `pa-`+url64+`{43}`, observed),
		prefixed("jina-api-key", "Jina AI", "API key", "https://jina.ai/reader/", high, "jina_", hexLow+`{32}`+url64+`{28}`, fixed, edge("-"), observed),
		prefixed("tavily-api-key", "Tavily", "API key", "https://docs.tavily.com/documentation/api-reference/introduction", med, "tvly-", `(?:dev-|prod-)?`+an+`{32}`, fixed, edge("-"), observed),
		prefixed("e2b-api-key", "E2B", "API key", "https://e2b.dev/docs/api-key", high, "e2b_", hexLow+`{40}`, fixed),
		assigned("firecrawl-api-key", "Firecrawl", "API key", "https://docs.firecrawl.dev/api-reference/introduction", med, []string{"firecrawl_api_key"}, `fc-`+hexLow+`{32}`),
		assigned("deepgram-api-key", "Deepgram", "API key", "https://developers.deepgram.com/docs/create-additional-api-keys", high, []string{"deepgram_api_key"}, hexLow+`{40}`),
		assigned("assemblyai-api-key", "AssemblyAI", "API key", "https://www.assemblyai.com/docs/api-reference/overview", high, []string{"assemblyai_api_key", "aai_api_key"}, hexLow+`{32}`),
		assigned("stability-api-key", "Stability AI", "API key", "https://platform.stability.ai/docs/getting-started/authentication", high, []string{"stability_api_key", "stability_key"}, `sk-`+an+`{48}`),
		prefixed("apify-api-token", "Apify", "API token", "https://docs.apify.com/platform/integrations/api", high, "apify_api_", an+`{36}`, fixed),
		prefixed("databricks-token", "Databricks", "personal access token", "https://docs.databricks.com/aws/en/dev-tools/auth/pat", high, "dapi", hexLow+`{32}(?:-[0-9])?`, fixed, edge("-")),
		prefixed("databricks-oauth-secret", "Databricks", "OAuth secret of a service principal", "https://docs.databricks.com/aws/en/dev-tools/auth/oauth-m2m", high, "dose", hexLow+`{32}`, fixed),
		assigned("kaggle-api-key", "Kaggle", "API key", "https://www.kaggle.com/docs/api", med, []string{"kaggle_key"}, hexLow+`{32}`),
	}
}
