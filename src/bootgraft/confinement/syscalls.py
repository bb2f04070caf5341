"""The numbers of the system calls that cages name, on the architectures that bootgraft is built for.

They never change: arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h of Linux.
"""

import os
import sys
from functools import cache
from typing import Final

from msgspec import Struct


class CallNumbers(Struct, frozen=True):
    """``audit`` is its AUDIT_ARCH (linux/audit.h), ``numbers`` are those of its system calls by name."""

    audit: int
    numbers: dict[str, int]


AUDIT: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""By what uname(2) calls the machine; a column of the table each, in this order."""

LAST_REVIEWED: Final = 462
"""The last call that was looked at (mseal, Linux 6.10). From 424 on all architectures have the same numbers."""

_TABLE = """
access 21 -
acct 163 89
add_key 248 217
adjtimex 159 171
bind 49 200
bpf 321 280
brk 12 214
capget 125 90
capset 126 91
chmod 90 -
chown 92 -
chroot 161 51
clock_adjtime 305 266
clock_getres 229 114
clock_gettime 228 113
clock_nanosleep 230 115
clock_settime 227 112
clone 56 220
clone3 435 435
close 3 57
connect 42 203
delete_module 176 106
dup 32 23
dup2 33 -
dup3 292 24
exit 60 93
exit_group 231 94
faccessat 269 48
faccessat2 439 439
fadvise64 221 223
fanotify_init 300 262
fanotify_mark 301 263
fchmodat 268 53
fchmodat2 452 452
fchownat 260 54
fcntl 72 25
finit_module 313 273
fsconfig 431 431
fsmount 432 432
fsopen 430 430
fspick 433 433
fstat 5 80
fstatfs 138 44
ftruncate 77 46
futex 202 98
futimesat 261 -
getcwd 79 17
getdents64 217 61
getegid 108 177
geteuid 107 175
getgid 104 176
getgroups 115 158
getpgid 121 155
getpid 39 172
getppid 110 173
getrandom 318 278
getresgid 120 150
getresuid 118 148
getrusage 98 165
gettid 186 178
gettimeofday 96 169
getuid 102 174
init_module 175 105
io_uring_enter 426 426
io_uring_register 427 427
io_uring_setup 425 425
ioctl 16 29
ioperm 173 -
iopl 172 -
ioprio_set 251 30
kcmp 312 272
kexec_file_load 320 294
kexec_load 246 104
keyctl 250 219
kill 62 129
landlock_add_rule 445 445
landlock_create_ruleset 444 444
landlock_restrict_self 446 446
lchown 94 -
link 86 -
linkat 265 37
listen 50 201
lremovexattr 198 15
lseek 8 62
lsetxattr 189 6
lstat 6 -
madvise 28 233
mbind 237 235
membarrier 324 283
memfd_secret 447 447
migrate_pages 256 238
mkdir 83 -
mkdirat 258 34
mknod 133 -
mknodat 259 33
mmap 9 222
modify_ldt 154 -
mount 165 40
mount_setattr 442 442
move_mount 429 429
move_pages 279 239
mprotect 10 226
mq_open 240 180
mremap 25 216
msgget 68 186
munmap 11 215
name_to_handle_at 303 264
nanosleep 35 101
newfstatat 262 79
open_by_handle_at 304 265
open_tree 428 428
openat 257 56
perf_event_open 298 241
personality 135 92
pidfd_getfd 438 438
pidfd_open 434 434
pidfd_send_signal 424 424
pivot_root 155 41
poll 7 -
ppoll 271 73
prctl 157 167
pread64 17 67
preadv 295 69
preadv2 327 286
prlimit64 302 261
process_madvise 440 440
process_mrelease 448 448
process_vm_readv 310 270
process_vm_writev 311 271
pselect6 270 72
ptrace 101 117
pwrite64 18 68
pwritev 296 70
pwritev2 328 287
quotactl 179 60
quotactl_fd 443 443
read 0 63
readlink 89 -
readlinkat 267 78
readv 19 65
reboot 169 142
recvfrom 45 207
removexattr 197 14
rename 82 -
renameat 264 38
renameat2 316 276
request_key 249 218
restart_syscall 219 128
rmdir 84 -
rseq 334 293
rt_sigaction 13 134
rt_sigprocmask 14 135
rt_sigqueueinfo 129 138
rt_sigreturn 15 139
rt_tgsigqueueinfo 297 240
sched_getaffinity 204 123
sched_setaffinity 203 122
sched_setattr 314 274
sched_setparam 142 118
sched_setscheduler 144 119
sched_yield 24 124
seccomp 317 277
select 23 -
semget 64 190
sendto 44 206
set_mempolicy 238 237
set_robust_list 273 99
setdomainname 171 162
setfsgid 123 152
setfsuid 122 151
setgid 106 144
setgroups 116 159
sethostname 170 161
setitimer 38 103
setns 308 268
setpriority 141 140
setregid 114 143
setresgid 119 149
setresuid 117 147
setreuid 113 145
settimeofday 164 170
setuid 105 146
setxattr 188 5
shmat 30 196
shmget 29 194
sigaltstack 131 132
socket 41 198
stat 4 -
statfs 137 43
statx 332 291
swapoff 168 225
swapon 167 224
symlink 88 -
symlinkat 266 36
sysinfo 99 179
syslog 103 116
tgkill 234 131
time 201 -
times 100 153
tkill 200 130
truncate 76 45
umount2 166 39
uname 63 160
unlink 87 -
unlinkat 263 35
unshare 272 97
userfaultfd 323 282
utime 132 -
utimensat 280 88
utimes 235 -
vhangup 153 58
write 1 64
writev 20 66
"""


@cache
def architecture(machine: str) -> CallNumbers | None:
    """The numbers for a machine; None where there are none."""
    if machine not in AUDIT:
        return None
    column = 1 + list(AUDIT).index(machine)
    rows = (line.split() for line in _TABLE.splitlines() if line)
    return CallNumbers(AUDIT[machine], {row[0]: int(row[column]) for row in rows if row[column] != "-"})


def this_architecture() -> CallNumbers | None:
    """The numbers for this machine; None too for a 32-bit Python."""
    return architecture(os.uname().machine) if sys.maxsize > 2**32 else None
