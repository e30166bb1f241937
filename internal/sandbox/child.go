package sandbox

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/lamina-sec/lamina/internal/content"
)

// layerFD is where the layer is open in the child.
const layerFD = 3

// exitCPU is the exit code of a child that met its limit of CPU time.
const exitCPU = 24

// serveRequest is the child: it reads one request, confines itself, reads the
// layer and writes the reply.
func serveRequest() int {
	req, err := readRequest()
	if err == nil {
		a, no := answer(req)
		if no != nil {
			a = reply{Unconfined: no.Error()}
		}
		_, err = os.Stdout.Write(encode(a)) //nolint:forbidigo // this process is the child
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "sandbox:", err) //nolint:forbidigo // this process is the child
		return 1
	}
	return 0
}

// answer confines this process and reads. The error is why it could not be
// confined.
func answer(req request) (a reply, err error) {
	in := os.NewFile(layerFD, "layer")
	var root *os.Root
	if req.Dir {
		// The one folder that is opened by name is the one that was handed over.
		if err := in.Chdir(); err != nil {
			return a, err
		}
		if root, err = os.OpenRoot("."); err != nil {
			return a, err
		}
	}
	if a.Confined, err = confine(req); err != nil {
		return a, err
	}
	o := content.Options{Imports: req.Imports, Key: req.Key}
	if req.Dir {
		a.Layer = content.ReadDir(req.Name, root.FS(), o)
	} else {
		a.Layer = content.Read(req.Name, in, req.Size, o)
	}
	if a.Layer.Err != nil {
		a.Err = a.Layer.Err.Error()
	}
	return a, nil
}

func readRequest() (request, error) {
	var req request
	data, err := io.ReadAll(io.LimitReader(os.Stdin, maxRequest+1))
	if err == nil {
		err = decode(data, &req, 2*maxRequest)
	}
	if err == nil && (req.Size < 0 || req.Limits.Memory <= 0 || req.Limits.CPU <= 0 || req.Limits.Files <= layerFD) {
		err = errors.New("a request without limits")
	}
	if err != nil {
		return req, fmt.Errorf("read the request: %w", err)
	}
	// Go's collector works harder before the system refuses memory. What it does
	// not know of, the arenas of layerfs, is less than the rest.
	debug.SetMemoryLimit(req.Limits.Memory / 4 * 3)
	return req, nil
}
