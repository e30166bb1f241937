// Package rule is the Elastic detection rule as a file: every key kept, every
// key and every byte of the query with its place in the file, the rule's
// schedule and references checked, its query compiled to a program by the
// language it names, and the ways a rule is judged: lint, tests with mutation,
// documents, import and export.
//
// It reads TOML as elastic/detection-rules writes it and NDJSON as Kibana
// exports it. It refuses to run anything: events come in through ecs.Event, and
// deciding when a program sees which event is detect's. It knows nothing of
// CloudTrail bytes either; whoever tests a rule hands Test the function that
// makes an event of a record.
//
// Start with Parse, then Rule.Compile.
//
// # Limits
//
// A file is at most MaxFile bytes and its values nest at most MaxDepth deep.
package rule
