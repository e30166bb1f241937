// Command lamina-sensor is the Lambda extension's process. It looks once at the
// environment and at the files of a layer root and writes a line of JSON to
// standard output, which Lambda sends to the function's log.
//
//	lamina-sensor [-root /opt]
//
// Exit code 0 says that the line was written, 4 that it was not. It does not
// register with the Extensions API yet: run it from a wrapper or by hand.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/lamina-sec/lamina/internal/sensor"
)

func main() {
	root := flag.String("root", "/opt", "the directory that layers are unpacked to")
	flag.Parse()
	if _, err := sensor.Look(time.Now(), os.Environ(), os.DirFS(*root)).WriteTo(os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "lamina-sensor: error: %s\n", err)
		os.Exit(4)
	}
}
