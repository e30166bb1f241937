package codeflow

import "sync"

// Op says what a Node is.
type Op uint8

// Ops of nodes. The zero Op is a value nobody knows whose parts are evaluated.
const (
	OpOther   Op = iota // Args are evaluated, the value is unknown and holds no taint
	OpName              // Str
	OpAttr              // X.Str
	OpIndex             // X[Args[0]]
	OpSlice             // X[Args[0]:Args[1]:Args[2]]; a nil part is absent
	OpCall              // X(Args...)
	OpNew               // new X(Args...)
	OpKeyword           // Str=X, in Args of a call; "" is **X
	OpSpread            // *X or ...X
	OpStr               // Str, of text or bytes
	OpNum               // Num
	OpList              // Args; list, tuple, set, array
	OpDict              // Args: key, value, key, value …; a nil key is a spread
	OpJoin              // Args put one after the other: f-string, template
	OpBin               // Args joined by the operator Str, from left to right
	OpAny               // one of Args: a if c else b, a || b, await a, (a)
	OpFunc              // Fn: lambda, function expression
	OpAssign            // Args[0] Str X, where Str is "=" or "+="; the value is X
	OpComp              // Args are elements, X an OpList of target, iterable, …; a nil target is a condition
	OpThis              // the object a method is of
	OpYield             // yield Args[0]
)

// A Node is an expression.
type Node struct {
	Op   Op
	Line int32
	Num  int64
	Str  string
	X    *Node
	Args []*Node
	Fn   *Func

	known *Value // of a constant
	kind  string // of a constant of interest
}

// StmtOp says what a Stmt is.
type StmtOp uint8

// Ops of statements.
const (
	StExpr   StmtOp = iota // Value
	StAssign               // Targets = Value; Name says that names are declared here
	StAug                  // Targets[0] += Value
	StIter                 // for Targets[0] in Value: Body
	StReturn               // Value
	StFunc                 // Fn, bound to Fn.Name
	StClass                // Name, Value is a list of bases, Body
	StBlock                // Body, which may not run
	StMain                 // Body, which runs only if the file is the program
	StImport               // Import with Binds
	StDelete               // Targets
	StGlobal               // names of Binds belong further out
)

// A Stmt is a statement.
type Stmt struct {
	Op      StmtOp
	Line    int32
	Name    string
	Targets []*Node
	Value   *Node
	Body    []Stmt
	Fn      *Func
	Import  *Import
	Binds   []Bind
}

// A Bind is a local name for a dotted path.
type Bind struct{ Name, Path string }

// A Func is a function, method or lambda.
type Func struct {
	Name       string
	Line       int32
	Params     []Param
	Decorators []*Node
	Body       []Stmt
	// Method says that the first parameter is the object.
	Method bool
	state  *state
}

// A Param is one parameter.
type Param struct {
	// Name is "" for a pattern, which is then Pattern.
	Name    string
	Pattern *Node
	Default *Node
	// Rest says *args, **kwargs or ...rest.
	Rest bool
}

// A Tree is a file that was read.
type Tree struct {
	Body []Stmt
	// Facts has what the parser already knows: language, measures, errors.
	Facts *Facts
}

// An Arena makes nodes in chunks, and refuses when there are too many.
type Arena struct {
	chunk []Node
	used  []*[arenaChunk]Node
	left  int
	none  Node
}

const arenaChunk = 256

// chunks are those that arenas gave back, without what was in them.
var chunks = sync.Pool{New: func() any { return new([arenaChunk]Node) }}

// NewArena returns an arena for at most n nodes.
func NewArena(n int) *Arena { return &Arena{left: n} }

// Full says that the arena refused.
func (a *Arena) Full() bool { return a.left <= 0 }

// New returns a node, or a shared one that means nothing when the arena is full.
func (a *Arena) New(op Op, line int) *Node {
	if a.left <= 0 {
		a.none = Node{}
		return &a.none
	}
	if len(a.chunk) == 0 {
		c, _ := chunks.Get().(*[arenaChunk]Node)
		a.used = append(a.used, c)
		a.chunk = c[:]
	}
	n := &a.chunk[0]
	a.chunk = a.chunk[1:]
	a.left--
	n.Op, n.Line = op, int32(min(line, 1<<31-1)) //nolint:gosec // a line is not negative
	return n
}

// Release takes the nodes back for the next file. Nothing may use them any more;
// Facts hold none.
func (a *Arena) Release() {
	for _, c := range a.used {
		*c = [arenaChunk]Node{}
		chunks.Put(c)
	}
	*a = Arena{}
}
