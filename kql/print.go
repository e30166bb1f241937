package kql

import (
	"fmt"
	"strings"
	"unicode"
)

// String prints the query in one canonical form: keywords in lower case, one
// space between words, no parentheses that are not needed. Parse reads it back
// to the same tree.
func (q *Query) String() string {
	if q.Root == nil {
		return ""
	}
	return Format(q.Root)
}

// Format prints a node as String does.
func Format(n Node) string {
	var b strings.Builder
	printNode(&b, n)
	return b.String()
}

func printNode(b *strings.Builder, n Node) {
	switch n := n.(type) {
	case *Or:
		printList(b, n.Of, " or ")
	case *And:
		printList(b, n.Of, " and ")
	case *Not:
		b.WriteString("not ")
		printOperand(b, n.X, true)
	case *Nested:
		printLiteral(b, n.Path)
		b.WriteString(": { ")
		printNode(b, n.X)
		b.WriteString(" }")
	case *Range:
		printLiteral(b, n.Field)
		b.WriteString(" " + n.Op.String() + " ")
		printLiteral(b, n.Value)
	case *Is:
		if n.Field != nil {
			printLiteral(b, n.Field)
			b.WriteString(": ")
		}
		if lit, ok := n.Value.(*Literal); ok {
			printLiteral(b, lit)
			return
		}
		b.WriteByte('(')
		printNode(b, n.Value)
		b.WriteByte(')')
	case *Literal:
		printLiteral(b, n)
	}
}

func printList(b *strings.Builder, of []Node, sep string) {
	for i, n := range of {
		if i > 0 {
			b.WriteString(sep)
		}
		if _, ok := n.(*And); ok && sep == " or " {
			printNode(b, n) // and binds tighter
			continue
		}
		printOperand(b, n, false)
	}
}

// printOperand puts parentheses around what would not be one operand without
// them; Kibana's grammar has no not behind a not.
func printOperand(b *strings.Builder, n Node, ofNot bool) {
	group := false
	switch n.(type) {
	case *Or, *And:
		group = true
	case *Not:
		group = ofNot
	}
	if group {
		b.WriteByte('(')
	}
	printNode(b, n)
	if group {
		b.WriteByte(')')
	}
}

func printLiteral(b *strings.Builder, n *Literal) {
	if n.Quoted {
		b.WriteByte('"')
		for _, r := range n.Parts[0] {
			if r == '"' || r == '\\' {
				b.WriteByte('\\')
				b.WriteRune(r)
			} else {
				printRune(b, r)
			}
		}
		b.WriteByte('"')
		return
	}
	if n.Kind == String && n.Parts[0] == "" {
		b.WriteString(`\t`) // an unquoted empty text can only be white space that is trimmed
		return
	}
	for i, part := range n.Parts {
		if i > 0 {
			b.WriteByte('*')
		}
		printUnquoted(b, part)
	}
}

// printUnquoted escapes what would end the literal, whatever is printed behind
// it. There is no escape for the keyword not, so its n is written as a number.
func printUnquoted(b *strings.Builder, s string) {
	s += " "
	afterSpace := false
	for i, r := range s[:len(s)-1] {
		switch {
		case strings.ContainsRune(special, r):
			b.WriteByte('\\')
			b.WriteRune(r)
		case afterSpace && (keywordAt(s, i, "or") || keywordAt(s, i, "and")):
			b.WriteByte('\\')
			b.WriteRune(r)
		case keywordAt(s, i, "not"):
			fmt.Fprintf(b, `\u%04x`, r)
		default:
			printRune(b, r)
		}
		afterSpace = r == ' ' || r == '\u00A0'
	}
}

func printRune(b *strings.Builder, r rune) {
	switch {
	case r == '\t':
		b.WriteString(`\t`)
	case r == '\r':
		b.WriteString(`\r`)
	case r == '\n':
		b.WriteString(`\n`)
	case r <= 0xFFFF && unicode.IsControl(r), r == '\uFEFF':
		fmt.Fprintf(b, `\u%04x`, r)
	default:
		b.WriteRune(r)
	}
}
