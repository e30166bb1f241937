//go:build !linux && !darwin

package sandbox

import (
	"os"
	"syscall"
)

const supported = false

func confine(request) ([]string, error) { return nil, ErrUnavailable }

func attributes() *syscall.SysProcAttr { return nil }

func program() (string, error) { return "", ErrUnavailable }

func keepOpenFiles() error { return nil }

func killed(*os.ProcessState) bool { return false }
