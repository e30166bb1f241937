//go:build linux && (amd64 || arm64)

package sandbox

import (
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// harmless are the system calls that the child may make with any arguments: those
// that concern only its memory, its threads, its clock, and what is already open.
var harmless = []uint32{
	unix.SYS_READ, unix.SYS_PREAD64, unix.SYS_WRITE, unix.SYS_CLOSE, unix.SYS_FSTAT, unix.SYS_LSEEK,
	unix.SYS_MUNMAP, unix.SYS_MADVISE, unix.SYS_BRK, unix.SYS_MINCORE, unix.SYS_MEMBARRIER,
	unix.SYS_FUTEX, unix.SYS_SET_ROBUST_LIST, unix.SYS_RSEQ, unix.SYS_EXIT, unix.SYS_EXIT_GROUP,
	unix.SYS_SCHED_YIELD, unix.SYS_SCHED_GETAFFINITY, unix.SYS_GETPID, unix.SYS_GETTID,
	unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_SIGALTSTACK, unix.SYS_RESTART_SYSCALL,
	unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_CLOCK_GETTIME, unix.SYS_GETTIMEOFDAY, unix.SYS_GETRANDOM,
	unix.SYS_EPOLL_CREATE1, unix.SYS_EPOLL_CTL, unix.SYS_EPOLL_PWAIT, unix.SYS_EVENTFD2,
}

// walking are those that reading a folder needs beside opening.
var walking = []uint32{statAt, unix.SYS_GETDENTS64, unix.SYS_READLINKAT}

// writing are the flags of open(2) that change a file.
const writing = unix.O_WRONLY | unix.O_RDWR | unix.O_CREAT | unix.O_TRUNC | unix.O_APPEND | unix.O_TMPFILE&^unix.O_DIRECTORY

// filter leaves this process the calls above, and refuses all others with EPERM
// (https://docs.kernel.org/userspace-api/seccomp_filter.html). It holds for all threads at once.
func filter(dir bool) error {
	runtime.LockOSThread() // the two calls must be of one thread
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up privileges: %w", err)
	}
	p := rules(dir, uint32(os.Getpid()))                                                                                                           //nolint:gosec // positive
	program := unix.SockFprog{Len: uint16(len(p)), Filter: &p[0]}                                                                                  //nolint:gosec // about a hundred
	r, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program))) //nolint:gosec // a structure of the call
	switch {
	case errno == unix.ENOSYS || errno == unix.EINVAL: // a kernel without it
		return errMissing
	case errno != 0:
		return errno
	case r != 0:
		return fmt.Errorf("thread %d could not be confined", r)
	}
	return nil
}

// rules is the filter as a program. Each call is a block that ends it.
func rules(dir bool, pid uint32) []unix.SockFilter {
	const (
		refuse  = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
		missing = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
		allow   = unix.SECCOMP_RET_ALLOW
	)
	load := func(at uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
	}
	ret := func(what uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: what} }
	when := func(op uint16, k uint32, yes, no uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | op | unix.BPF_K, Jt: yes, Jf: no, K: k}
	}
	// struct seccomp_data: nr, arch, instruction pointer, six arguments, of which
	// the lower half is looked at.
	p := []unix.SockFilter{load(4), when(unix.BPF_JEQ, auditArch, 1, 0), ret(unix.SECCOMP_RET_KILL_PROCESS), load(0)}
	call := func(nr uint32, block ...unix.SockFilter) {
		p = append(p, when(unix.BPF_JEQ, nr, 0, uint8(len(block)))) //nolint:gosec // at most five
		p = append(p, block...)
	}
	// argument allows the call if the test of the argument is true, or, with not,
	// if it is false.
	argument := func(nr, i uint32, op uint16, k uint32, not bool) {
		yes, no := uint32(allow), refuse
		if not {
			yes, no = no, yes
		}
		call(nr, load(16+8*i), when(op, k, 0, 1), ret(yes), ret(no))
	}
	for _, nr := range harmless {
		call(nr, ret(allow))
	}
	// Memory that is run cannot be made.
	argument(unix.SYS_MMAP, 2, unix.BPF_JSET, unix.PROT_EXEC, true)
	argument(unix.SYS_MPROTECT, 2, unix.BPF_JSET, unix.PROT_EXEC, true)
	// Threads, no processes; what the C library tries first cannot be looked into.
	argument(unix.SYS_CLONE, 0, unix.BPF_JSET, unix.CLONE_THREAD, false)
	call(unix.SYS_CLONE3, ret(missing))
	// Signals to itself: that is how Go stops a goroutine.
	argument(unix.SYS_TGKILL, 0, unix.BPF_JEQ, pid, false)
	// What an open file is, not who is told of it.
	call(unix.SYS_FCNTL, load(16+8), when(unix.BPF_JEQ, unix.F_GETFL, 1, 0), when(unix.BPF_JEQ, unix.F_GETFD, 0, 1), ret(allow), ret(refuse))
	if dir {
		for _, nr := range walking {
			call(nr, ret(allow))
		}
		argument(unix.SYS_OPENAT, 2, unix.BPF_JSET, writing, true)
	}
	return append(p, ret(refuse))
}
