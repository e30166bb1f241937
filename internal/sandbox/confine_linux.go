package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// confine takes from this process what it does not need to read the layer. What
// fails although the system has it is an error; what the system has not is left
// out of the names that are returned.
func confine(req request) ([]string, error) {
	size, data, err := memory()
	if err != nil {
		return nil, err
	}
	// Go reserves address space long before it uses it, and so do C's threads:
	// what may be written is the limit that counts.
	room := uint64(req.Limits.Memory) //nolint:gosec // checked by readRequest
	if err := limit(req, map[int]uint64{unix.RLIMIT_DATA: data + room, unix.RLIMIT_AS: size + 2*room}); err != nil {
		return nil, err
	}
	// Nobody of the same user may look into its memory, and no dump is written.
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("forbid dumps: %w", err)
	}
	confined := []string{"limits"}
	for _, step := range []struct {
		name string
		run  func(dir bool) error
	}{{"landlock", landlock}, {"seccomp", filter}} {
		switch err := step.run(req.Dir); {
		case err == nil:
			confined = append(confined, step.name)
		case !errors.Is(err, errMissing):
			return nil, fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return confined, nil
}

// errMissing says that the system, or the way the program was built, has not got
// it.
var errMissing = errors.New("not there")

// memory is the size of the address space, and of what of it can be written, in
// bytes (proc_pid_statm(5)).
func memory() (size, data uint64, err error) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, 0, err
	}
	f := bytes.Fields(text)
	if len(f) < 6 {
		return 0, 0, fmt.Errorf("/proc/self/statm has %d fields, not 6", len(f))
	}
	size, err = strconv.ParseUint(string(f[0]), 10, 40)
	if err == nil {
		data, err = strconv.ParseUint(string(f[5]), 10, 40)
	}
	page := uint64(os.Getpagesize()) //nolint:gosec // positive
	return size * page, data * page, err
}

// landlock forbids the file system, but for reading the folder that is read, and
// TCP, and signals to others (https://docs.kernel.org/userspace-api/landlock.html). It holds
// for a thread, so that all threads have to be reached, which Go cannot do in a
// program that is linked with cgo.
func landlock(dir bool) error {
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return errMissing
	}
	rules := unix.LandlockRulesetAttr{Handled_access_fs: handled(version)}
	if version >= 4 {
		rules.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	}
	if version >= 6 {
		rules.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
	}
	set, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&rules)), unsafe.Sizeof(rules), 0) //nolint:gosec // a structure of the call
	if errno != 0 {
		return fmt.Errorf("create the rules: %w", errno)
	}
	defer unix.Close(int(set)) //nolint:errcheck // it is in force, or the child ends
	if dir {
		below := unix.LandlockPathBeneathAttr{Allowed_access: unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR, Parent_fd: layerFD}
		if _, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, set, unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&below)), 0, 0, 0); errno != 0 { //nolint:gosec // a structure of the call
			return fmt.Errorf("allow the folder: %w", errno)
		}
	}
	if _, _, errno := syscall.AllThreadsSyscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0); errno == unix.ENOTSUP {
		return errMissing
	} else if errno != 0 {
		return fmt.Errorf("give up privileges: %w", errno)
	}
	if _, _, errno := syscall.AllThreadsSyscall(unix.SYS_LANDLOCK_RESTRICT_SELF, set, 0, 0); errno != 0 {
		return fmt.Errorf("put the rules in force: %w", errno)
	}
	return nil
}

// handled are the ways to use the file system that a version of Landlock knows:
// 13 at first, then one more in each of the versions 2, 3 and 5.
func handled(version uintptr) uint64 {
	bits := 13
	for _, v := range []uintptr{2, 3, 5} {
		if version >= v {
			bits++
		}
	}
	return 1<<bits - 1
}

// attributes put the child into a process group of its own: an interrupt from the
// keyboard is the parent's, which stops the child. If the parent is killed, the
// child is, too.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// program is this program, even if another file has its name by now.
func program() (string, error) { return "/proc/self/exe", nil }
