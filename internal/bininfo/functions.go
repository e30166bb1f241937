package bininfo

import "bytes"

// calls marks a function that is of interest when it is imported, and hooks one
// that is of interest when a library defines it: the dynamic loader takes the
// first definition, so a preloaded library sees every call.
const (
	calls = 1 << iota
	hooks
)

// functions are names of the C library (https://man7.org/linux/man-pages/) and
// of the loader's audit interface (rtld-audit(7)).
var functions = map[string]uint8{
	// runs programs
	"execve": calls | hooks, "execv": calls | hooks, "execvp": calls | hooks, "execvpe": calls | hooks, "execl": calls, "execle": calls, "execlp": calls,
	"fexecve": calls | hooks, "execveat": calls | hooks, "system": calls | hooks, "popen": calls | hooks, "fork": calls, "vfork": calls,
	"posix_spawn": calls | hooks, "posix_spawnp": calls | hooks, "dlopen": calls | hooks, "dlmopen": calls, "dlsym": hooks, "memfd_create": calls,
	// speaks to the network
	"socket": calls | hooks, "connect": calls | hooks, "bind": calls, "listen": calls, "accept": calls | hooks, "accept4": calls | hooks,
	"send": calls | hooks, "sendto": calls | hooks, "sendmsg": calls | hooks, "recv": hooks, "recvfrom": hooks, "recvmsg": hooks,
	"getaddrinfo": calls | hooks, "gethostbyname": calls | hooks, "res_query": calls, "res_search": calls,
	"SSL_write": hooks, "SSL_read": hooks, "SSL_CTX_set_verify": hooks, "curl_easy_perform": calls | hooks,
	// looks into or changes other processes
	"ptrace": calls, "process_vm_readv": calls, "process_vm_writev": calls, "prctl": calls, "kill": calls, "personality": calls, "unshare": calls, "setns": calls,
	"inotify_add_watch": calls, "fanotify_init": calls,
	// reads or changes the environment and memory protection
	"getenv": hooks, "secure_getenv": hooks, "setenv": calls, "putenv": calls, "unsetenv": calls, "mprotect": calls, "daemon": calls,
	// what hiding libraries put in place of the C library's
	"open": hooks, "open64": hooks, "openat": hooks, "openat64": hooks, "fopen": hooks, "fopen64": hooks, "read": hooks, "write": hooks, "writev": hooks,
	"readdir": hooks, "readdir64": hooks, "stat": hooks, "lstat": hooks, "access": hooks, "unlink": hooks, "rename": hooks,
	"malloc": hooks, "__libc_start_main": hooks, "pthread_create": hooks, "clock_gettime": hooks,
	// the loader asks these of an LD_AUDIT library
	"la_version": hooks, "la_objopen": hooks, "la_objsearch": hooks, "la_symbind64": hooks,
	// runtimes call these when they load a library
	"Agent_OnLoad": hooks, "Agent_OnAttach": hooks, "JNI_OnLoad": hooks, "node_register_module": hooks, "napi_register_module_v1": hooks,
	"sqlite3_extension_init": hooks, "gconv_init": hooks, "gconv": hooks,
}

// entryPoint reports whether the name is of a family that a runtime calls:
// Python's and Ruby's extension modules, Node's.
func entryPoint(name []byte) bool {
	return bytes.HasPrefix(name, []byte("PyInit_")) || bytes.HasPrefix(name, []byte("Init_")) || bytes.HasPrefix(name, []byte("node_register_module_v"))
}
