package secret

import "github.com/lamina-sec/lamina"

const (
	docURI     = "https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1"
	docPG      = "https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS"
	docMongo   = "https://www.mongodb.com/docs/manual/reference/connection-string/"
	docMySQL   = "https://dev.mysql.com/doc/refman/8.4/en/connecting-using-uri-or-key-value-pairs.html"
	docRedis   = "https://redis.io/docs/latest/develop/tools/cli/" //nolint:gosec // an address
	docAMQP    = "https://www.rabbitmq.com/docs/uri-spec"
	docMSSQL   = "https://learn.microsoft.com/en-us/dotnet/framework/data/adonet/connection-string-syntax"
	docPScale  = "https://planetscale.com/docs/concepts/connection-strings"
	docLDAP    = "https://www.rfc-editor.org/rfc/rfc4516"
	docNeon    = "https://neon.com/docs/manage/api-keys"
	docJDBCOra = "https://docs.oracle.com/en/database/oracle/oracle-database/23/jjdbc/data-sources-and-URLs.html"
)

// databaseFormats are connection strings that carry a password, and tokens of
// hosted databases.
func databaseFormats() []format {
	const (
		high, med = lamina.High, lamina.Medium
	)
	// The severity is that of a strong password; checkURL lowers it for others.
	address := func(kind, provider, title, url, head string, anchors ...string) format {
		return format{
			kind: kind, provider: provider, title: title, url: url, severity: high, anchors: anchors, fold: true,
			find: passwordInURL, secretive: true, head: head, check: urlPassword,
		}
	}
	return []format{
		address("postgres-url-password", "PostgreSQL", "password in a connection URI", docPG, "postgres://", "postgres://", "postgresql://", "postgresql+psycopg2://", "postgresql+asyncpg://", "postgresql+psycopg://", "postgis://", "cockroachdb://"),
		address("mysql-url-password", "MySQL", "password in a connection URI", docMySQL, "mysql://", "mysql://", "mysqlx://", "mariadb://", "mysql2://", "mysql+pymysql://", "mysql+mysqldb://"),
		address("mongodb-url-password", "MongoDB", "password in a connection string", docMongo, "mongodb://", "mongodb://", "mongodb+srv://"),
		address("redis-url-password", "Redis", "password in a URI", docRedis, "redis://", "redis://", "rediss://", "valkey://"),
		address("amqp-url-password", "RabbitMQ", "password in a URI", docAMQP, "amqp://", "amqp://", "amqps://"),
		address("mssql-url-password", "Microsoft SQL Server", "password in a URI", docMSSQL, "sqlserver://", "mssql://", "sqlserver://", "mssql+pyodbc://", "mssql+pymssql://"),
		address("oracle-url-password", "Oracle", "password in a URI", docJDBCOra, "oracle://", "oracle://", "oracle+cx_oracle://", "oracle+oracledb://"),
		address("clickhouse-url-password", "ClickHouse", "password in a URI", "https://clickhouse.com/docs/interfaces/cli#connection_string", "clickhouse://", "clickhouse://", "clickhouses://", "clickhouse+native://"),
		address("snowflake-url-password", "Snowflake", "password in a URI", "https://docs.snowflake.com/en/developer-guide/python-connector/sqlalchemy", "snowflake://", "snowflake://"),
		address("neo4j-url-password", "Neo4j", "password in a URI", "https://neo4j.com/docs/operations-manual/current/", "neo4j://", "neo4j://", "neo4j+s://", "bolt://", "bolt+s://"),
		address("nats-url-password", "NATS", "password in a URI", "https://docs.nats.io/using-nats/developer/connecting", "nats://", "nats://"),
		address("ldap-url-password", "LDAP", "password in a URI", docLDAP, "ldap://", "ldap://", "ldaps://"),
		address("smtp-url-password", "SMTP", "password in a URI", docURI, "smtp://", "smtp://", "smtps://", "smtp+tls://"),
		address("ftp-url-password", "FTP or SFTP", "password in a URI", docURI, "ftp://", "ftp://", "ftps://", "sftp://", "ssh://"),
		address("cloudinary-url", "Cloudinary", "API secret in CLOUDINARY_URL", "https://cloudinary.com/documentation/solution_overview#account_and_api_setup", "cloudinary://", "cloudinary://"),
		with(address("url-password", "RFC 3986", "password in a URL", docURI, "://", "://"), []option{loose}),
		{
			kind: "jdbc-url-password", provider: "JDBC", title: "password in a JDBC URL", url: "https://docs.oracle.com/javase/tutorial/jdbc/basics/connecting.html", severity: high, secretive: true, head: "jdbc:",
			anchors: []string{"jdbc:"}, pattern: `jdbc:[a-z0-9:]{2,30}:?//[^\s"'<>\x60]{1,300}?[?&;](?i:password)=(?P<v>[^\s"'<>\x60&;]{4,128})`, check: chosenStrength,
		},
		{
			kind: "oracle-thin-password", provider: "Oracle", title: "password in a thin JDBC URL", url: docJDBCOra, severity: high, secretive: true, head: "jdbc:oracle:thin:",
			anchors: []string{"jdbc:oracle:thin:"}, pattern: `jdbc:oracle:thin:[0-9A-Za-z_$#]{1,64}/(?P<v>[^\s"'<>\x60@/]{4,128})@`, check: chosenStrength,
		},
		{
			kind: "database-connection-string", provider: "ADO.NET and ODBC", title: "password in a connection string", url: docMSSQL, severity: high, secretive: true,
			anchors: []string{"password=", "pwd="}, fold: true, find: connectionString, head: "password=", check: chosenStrength,
		},
		prefixed("planetscale-password", "PlanetScale", "branch password", docPScale, high, "pscale_pw_", url64+`{32,64}`, edge("-.")),
		prefixed("planetscale-service-token", "PlanetScale", "service token", docPScale, high, "pscale_tkn_", url64+`{32,64}`, edge("-.")),
		prefixed("planetscale-oauth-token", "PlanetScale", "OAuth token", docPScale, high, "pscale_oauth_", url64+`{32,64}`, edge("-.")),
		prefixed("neon-api-key", "Neon", "API key", docNeon, high, "napi_", lan+`{64}`, fixed, observed),
		prefixed("neon-database-password", "Neon", "role password", docNeon, high, "npg_", an+`{12,32}`, checked(mixed), observed),
		prefixed("fauna-secret", "Fauna", "key secret", "https://docs.fauna.com/fauna/current/learn/security/keys/", med, "fnA", url64+`{37}`, fixed, edge("-"), observed),
		prefixed("aiven-password", "Aiven", "service password", "https://aiven.io/docs/platform/concepts/out-of-bounds", high, "AVNS_", url64+`{19}`, edge("-"), observed),
		prefixed("xata-api-key", "Xata", "API key", "https://xata.io/documentation", high, "xau_", an+`{30,60}`, checked(mixed), observed),
		assigned("turso-token", "Turso", "database token", "https://docs.turso.tech/sdk/authentication", high, []string{"turso_auth_token", "libsql_auth_token"}, `eyJ[0-9A-Za-z_\-]{10,}\.[0-9A-Za-z_\-]{10,}\.[0-9A-Za-z_\-]{43,100}`, structured, edge("-"), reaching(1024), likely),
		assigned("influxdb-token", "InfluxDB", "API token", "https://docs.influxdata.com/influxdb/v2/admin/tokens/", high, []string{"influxdb_token", "influx_token", "influxdb_v2_token"}, `[0-9A-Za-z_\-]{86}==`),
		assigned("upstash-redis-token", "Upstash", "REST token", "https://upstash.com/docs/redis/features/restapi", high, []string{"upstash_redis_rest_token", "kv_rest_api_token"}, `[0-9A-Za-z+/_\-]{40,120}={0,2}`, checked(mixed)),
	}
}
