#!/usr/bin/env python3
"""What POSIX and Linux promise of a file system that can be written, by the system's own calls.

usage: conformance.py DIR [NAME-PART]      runs the tests (those with NAME-PART in their name) in new folders below DIR
       conformance.py --list DIR           prints all that is visible below DIR: it must be the same after a new mount

Prints "ok NAME", "FAILED NAME: why" or "left out NAME: why" for each, and exits with 1 when one failed. Any file system of the
host will do; what needs several users is left out unless root runs it.
"""
import contextlib
import ctypes
import errno
import fcntl
import hashlib
import itertools
import mmap
import os
import select
import signal
import socket
import stat
import struct
import subprocess
import sys
import time
import traceback
from errno import (EACCES, EBADF, EEXIST, EFBIG, EINVAL, EISDIR, ELOOP, EMLINK, ENAMETOOLONG, ENOENT, ENOTDIR,
                   ENOTEMPTY, ENXIO, EOPNOTSUPP, EPERM)

LIBC = ctypes.CDLL(None, use_errno=True)
IS_ROOT = os.geteuid() == 0
AT_FDCWD = -100
AT_EMPTY_PATH = 0x1000
NOREPLACE, EXCHANGE = 1, 2
UTIME_NOW, UTIME_OMIT = (1 << 30) - 1, (1 << 30) - 2
KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE = 1, 2, 0x10
GETFLAGS, SETFLAGS = 0x80086601, 0x40086602
IMMUTABLE, APPEND_ONLY = 0x10, 0x20
FILE_OFFSET_MAX = (1 << 63) - 1
OWNER, MEMBER, OTHER = 1001, 1002, 1003
GROUP, GROUP_TWO = 2001, 2002
TESTS = []


class LeftOut(Exception):
    pass


def test(function):
    TESTS.append((function.__name__, function, False))
    return function


def with_users(function):
    TESTS.append((function.__name__, function, True))
    return function


def call(name, *arguments):
    result = getattr(LIBC, name)(*arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), name + ": " + os.strerror(ctypes.get_errno()))
    return result


def outcome(what, *arguments, **keywords):
    """The errno of a call as its name; 'ok' when it succeeded."""
    try:
        what(*arguments, **keywords)
        return 'ok'
    except OSError as e:
        # One number with two names.
        return 'EOPNOTSUPP' if e.errno == EOPNOTSUPP else errno.errorcode[e.errno]


def raising(number):
    raise OSError(number, '')


def eq(found, expected, *about):
    if found != expected:
        raise AssertionError('%sexpected %r, found %r' % (''.join(str(a) + ' ' for a in about), expected, found))


def fails(number, what, *arguments, **keywords):
    eq(outcome(what, *arguments, **keywords), outcome(raising, number), getattr(what, '__name__', ''), arguments)


def put(path, data=b'', flags=os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode=0o666):
    fd = os.open(path, flags, mode)
    try:
        at = 0
        while at < len(data):
            at += os.write(fd, data[at:])
    finally:
        os.close(fd)


def get(path):
    with open(path, 'rb') as f:
        return f.read()


def mode_of(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


def renameat2(old, new, flags=0):
    call('renameat2', AT_FDCWD, os.fsencode(old), AT_FDCWD, os.fsencode(new), flags)


def fallocate(fd, mode, offset, length):
    call('fallocate', fd, mode, ctypes.c_long(offset), ctypes.c_long(length))


def linkat_fd(fd, path):
    call('linkat', AT_FDCWD, b'/proc/self/fd/%d' % fd, AT_FDCWD, os.fsencode(path), 0x400)


def set_flags(path, flags):
    fd = os.open(path, os.O_RDONLY)
    try:
        fcntl.ioctl(fd, SETFLAGS, struct.pack('L', flags))
    finally:
        os.close(fd)


def as_user(uid, body, gid=None, groups=()):
    """What body's outcome is for a process of another user."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        text = b'never ran'
        try:
            os.close(read)
            os.setgroups(list(groups))
            os.setresgid(gid or uid, gid or uid, gid or uid)
            os.setresuid(uid, uid, uid)
            text = outcome(body).encode()
        except BaseException as e:
            text = repr(e).encode()
        finally:
            os.write(write, text)
            os._exit(0)
    os.close(write)
    with os.fdopen(read, 'rb') as f:
        text = f.read().decode()
    os.waitpid(pid, 0)
    return text


def in_child(body):
    """Runs body in another process and returns what it returns, as text."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            text = str(body())
        except BaseException as e:
            text = repr(e)
        os.write(write, text.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, 'rb') as f:
        text = f.read().decode()
    os.waitpid(pid, 0)
    return text


def make(kind, path):
    """Something at path, of a kind that the tables name."""
    if kind == 'file':
        put(path, b'file')
    elif kind == 'empty':
        os.mkdir(path)
    elif kind == 'full':
        os.mkdir(path)
        put(path + '/in', b'in')
    elif kind == 'symlink':
        os.symlink('nowhere', path)
    elif kind == 'fifo':
        os.mkfifo(path)
    elif kind == 'socket':
        os.mknod(path, stat.S_IFSOCK | 0o644)
    elif kind != 'none':
        raise ValueError(kind)


def kind_of(path):
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return 'none'
    if stat.S_ISDIR(mode):
        return 'full' if os.listdir(path) else 'empty'
    return {stat.S_IFREG: 'file', stat.S_IFLNK: 'symlink', stat.S_IFIFO: 'fifo', stat.S_IFSOCK: 'socket'}[stat.S_IFMT(mode)]


def tick(reference=[None]):
    """Waits until the file system's clock has moved on, so that a later time is a different one."""
    path = '.tick'
    put(path)
    before = os.stat(path).st_mtime_ns
    for _ in range(1000):
        os.utime(path)
        if os.stat(path).st_mtime_ns > before:
            break
        time.sleep(0.001)
    os.unlink(path)


# Creating.

@test
def modes_are_cut_by_the_umask():
    makers = {'file': lambda p, m: os.close(os.open(p, os.O_CREAT | os.O_WRONLY, m)), 'dir': os.mkdir, 'fifo': os.mkfifo,
              'node': lambda p, m: os.mknod(p, stat.S_IFREG | m)}
    for (name, maker), umask, mode in itertools.product(makers.items(), (0, 0o022, 0o077, 0o777), (0o777, 0o644, 0o400, 0)):
        path = '%s-%o-%o' % (name, umask, mode)
        before = os.umask(umask)
        try:
            maker(path, mode)
        finally:
            os.umask(before)
        eq(mode_of(path), mode & ~umask, path)


@test
def exclusive_creation_follows_no_link():
    put('f')
    os.symlink('f', 'link')
    os.symlink('nowhere', 'dangling')
    os.mkdir('d')
    for path in ('f', 'link', 'dangling', 'd'):
        fails(EEXIST, os.open, path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        fails(EEXIST, os.mkdir, path)
        fails(EEXIST, os.mkfifo, path)
        fails(EEXIST, os.symlink, 'x', path)
        fails(EEXIST, os.link, 'f', path)
    put('dangling', b'through')
    eq(get('nowhere'), b'through')


@test
def opening_depends_on_what_it_is():
    put('f', b'content')
    os.mkdir('d')
    os.symlink('f', 'link')
    for path, flags, expected in (
            ('f', os.O_RDONLY | os.O_DIRECTORY, 'ENOTDIR'), ('d', os.O_RDONLY | os.O_DIRECTORY, 'ok'),
            ('d', os.O_WRONLY, 'EISDIR'), ('d', os.O_RDWR, 'EISDIR'), ('d', os.O_RDONLY | os.O_CREAT, 'EISDIR'),
            ('link', os.O_RDONLY | os.O_NOFOLLOW, 'ELOOP'), ('link', os.O_RDONLY, 'ok'), ('none', os.O_RDONLY, 'ENOENT'),
            ('f/x', os.O_RDONLY, 'ENOTDIR'), ('f/', os.O_RDONLY, 'ENOTDIR'), ('new/', os.O_CREAT | os.O_WRONLY, 'EISDIR'),
            ('', os.O_RDONLY, 'ENOENT'), ('d/../f', os.O_RDONLY, 'ok'), ('none/../f', os.O_RDONLY, 'ENOENT')):
        eq(outcome(os.open, path, flags), expected, path, flags)
    os.close(os.open('f', os.O_RDONLY | os.O_CREAT, 0))
    eq(get('f'), b'content')
    os.close(os.open('f', os.O_WRONLY | os.O_TRUNC))
    eq(get('f'), b'')


@test
def a_file_without_write_permission_can_be_written_by_who_made_it():
    fd = os.open('f', os.O_CREAT | os.O_RDWR | os.O_EXCL, 0)
    eq(os.write(fd, b'mine'), 4)
    os.close(fd)
    eq((os.stat('f').st_size, mode_of('f')), (4, 0))


@test
def every_kind_of_node_is_what_it_was_made():
    for kind, make_it, check in (
            ('fifo', lambda: os.mkfifo('fifo', 0o640), stat.S_ISFIFO),
            ('socket', lambda: socket.socket(socket.AF_UNIX).bind('socket'), stat.S_ISSOCK),
            ('file', lambda: os.mknod('file', stat.S_IFREG | 0o600), stat.S_ISREG)):
        make_it()
        eq((check(os.lstat(kind).st_mode), os.lstat(kind).st_nlink, os.lstat(kind).st_size), (True, 1, 0), kind)
        os.link(kind, kind + '2')
        eq(os.lstat(kind).st_nlink, 2)
        os.rename(kind + '2', kind + '3')
        os.unlink(kind)
        eq((check(os.lstat(kind + '3').st_mode), os.lstat(kind + '3').st_nlink), (True, 1))
    if IS_ROOT:
        for kind, major, minor in ((stat.S_IFCHR, 1, 3), (stat.S_IFBLK, 259, 70000), (stat.S_IFCHR, 4095, 1048575)):
            os.mknod('dev', kind | 0o600, os.makedev(major, minor))
            status = os.stat('dev')
            eq((stat.S_IFMT(status.st_mode), os.major(status.st_rdev), os.minor(status.st_rdev)), (kind, major, minor))
            os.unlink('dev')


@test
def a_fifo_carries_data_and_a_socket_answers():
    os.mkfifo('p')
    if os.fork() == 0:
        put('p', b'through', os.O_WRONLY)
        os._exit(0)
    eq(get('p'), b'through')
    os.wait()
    server = socket.socket(socket.AF_UNIX)
    server.bind('s')
    server.listen()
    client = socket.socket(socket.AF_UNIX)
    client.connect('s')
    client.sendall(b'hello')
    eq(server.accept()[0].recv(10), b'hello')
    fails(ENXIO, os.open, 's', os.O_RDONLY)


# Names.

@test
def names_have_255_bytes_and_no_more():
    makers = (lambda p: put(p), os.mkdir, os.mkfifo, lambda p: os.symlink('x', p), lambda p: os.link('source', p),
              lambda p: os.rename('moved', p))
    put('source')
    for number, maker in enumerate(makers):
        put('moved')
        fails(ENAMETOOLONG, maker, 'x' * 256)
        name = chr(ord('a') + number) * 255
        maker(name)
        eq(name in os.listdir('.'), True)
    for what in (os.unlink, os.rmdir, os.lstat, os.listdir, os.readlink):
        fails(ENAMETOOLONG, what, 'x' * 256)
    eq(os.statvfs('.').f_namemax, 255)
    eq(os.pathconf('.', 'PC_NAME_MAX'), 255)


@test
def any_bytes_are_a_name():
    names = [bytes([b]) for b in range(1, 256) if b not in (0x2f, 0x2e)]
    names += [b'\xff' * 255, b'...', b'a\nb', 'é'.encode() * 127, b'-rf', b'\xc3\x28', b'.hidden']
    for name in names:
        put(name, name)
    eq(sorted(os.listdir(b'.')), sorted(names))
    for name in names:
        eq(get(name), name)
    for name in names:
        os.rename(name, b'renamed')
        os.rename(b'renamed', name)
        os.unlink(name)
    eq(os.listdir('.'), [])


@test
def case_and_composition_make_names_different():
    for name in ('a', 'A', 'e\u0301', '\u00e9'):
        put(name, name.encode())
    eq(len(os.listdir('.')), 4)
    for name in ('a', 'A', 'e\u0301', '\u00e9'):
        eq(get(name), name.encode())


@test
def paths_end_at_4096_bytes():
    start = os.getcwd()
    for i in range(20):
        os.mkdir('d' * 250)
        os.chdir('d' * 250)
    put('f', b'deep')
    os.chdir(start)
    fails(ENAMETOOLONG, os.stat, '/'.join(['d' * 250] * 17))
    os.stat('/'.join(['d' * 250] * 16))
    fails(ENAMETOOLONG, os.symlink, 'x' * 4096, 'link')
    os.symlink('x' * 4095, 'link')
    eq((os.lstat('link').st_size, os.readlink('link')), (4095, 'x' * 4095))
    fails(ENOENT, os.symlink, '', 'none')


@test
def links_that_lead_in_circles_end():
    os.symlink('b', 'a')
    os.symlink('a', 'b')
    os.symlink('self', 'self')
    for path in ('a', 'self', 'a/x', 'self/y'):
        for what in (os.stat, os.listdir, lambda p: os.open(p, os.O_RDONLY), lambda p: os.truncate(p, 0)):
            fails(ELOOP, what, path)
    os.mkdir('d')
    for i in range(60):
        os.symlink('l%d' % (i + 1) if i < 59 else 'd', 'l%d' % i)
    eq(outcome(os.stat, 'l0'), 'ELOOP')
    eq(outcome(os.stat, 'l30'), 'ok')
    os.unlink('a')
    os.unlink('self')


@test
def symbolic_links_are_followed_where_they_should_be():
    os.mkdir('d')
    put('d/f', b'f')
    os.symlink('d', 'link')
    os.symlink('link/f', 'flink')
    eq(get('flink'), b'f')
    eq(get('link/f'), b'f')
    os.chmod('flink', 0o600)
    eq(mode_of('d/f'), 0o600)
    eq(mode_of('flink'), 0o777)
    fails(ENOTDIR, os.rmdir, 'link')
    os.utime('flink', ns=(1000, 2000), follow_symlinks=False)
    eq((os.lstat('flink').st_atime_ns, os.lstat('flink').st_mtime_ns), (1000, 2000))
    os.lchown('flink', os.getuid(), os.getgid())
    os.unlink('flink')
    os.unlink('link')
    eq(get('d/f'), b'f')
    os.symlink('/', 'absolute')
    eq(os.stat('absolute').st_ino, os.stat('/').st_ino)
    fails(EINVAL, os.readlink, 'd')


# Links and removing.

@test
def link_counts_follow_names():
    put('f', b'x')
    names = ['f'] + ['l%d' % i for i in range(100)]
    for name in names[1:]:
        os.link('f', name)
    eq({os.stat(name).st_nlink for name in names}, {101})
    eq(len({os.stat(name).st_ino for name in names}), 1)
    for left, name in zip(range(100, -1, -1), names):
        fd = os.open(name, os.O_RDONLY)
        os.unlink(name)
        eq(os.fstat(fd).st_nlink, left)
        os.close(fd)


@test
def directory_link_counts_are_of_one_kind():
    os.mkdir('d')
    empty = os.stat('d').st_nlink
    for i in range(5):
        os.mkdir('d/s%d' % i)
    put('d/f')
    # Either counted (2 and one for each subdirectory) or not at all (1), but not anything else.
    expected = {2: 7, 1: 1}
    eq(os.stat('d').st_nlink, expected[empty])
    os.rename('d/s0', 's0')
    os.rmdir('d/s1')
    eq(os.stat('d').st_nlink, 5 if empty == 2 else 1)
    eq(os.stat('d/..').st_ino, os.stat('.').st_ino)
    eq(os.stat('s0/..').st_ino, os.stat('.').st_ino)


@test
def no_limit_of_links_is_near():
    put('f')
    try:
        for i in range(3000):
            os.link('f', 'l%d' % i)
    except OSError as e:
        eq(e.errno, EMLINK)
        raise LeftOut('this file system has a limit at %d links' % i)
    eq(os.stat('f').st_nlink, 3001)


@test
def what_cannot_be_linked_is_refused():
    os.mkdir('d')
    put('f')
    fails(EPERM, os.link, 'd', 'e')
    fails(ENOENT, os.link, 'none', 'e')
    fails(EEXIST, os.link, 'f', 'd')
    fails(ENOTDIR, os.link, 'f', 'f/e')
    fails(ENOENT, os.link, 'f', 'none/e')
    os.symlink('f', 's')
    os.link('s', 's2', follow_symlinks=False)
    eq((os.readlink('s2'), os.lstat('s').st_nlink), ('f', 2))


@test
def removing_depends_on_what_it_is():
    table = {
        ('file', 'unlink'): 'ok', ('file', 'rmdir'): 'ENOTDIR', ('empty', 'unlink'): 'EISDIR', ('empty', 'rmdir'): 'ok',
        ('full', 'unlink'): 'EISDIR', ('full', 'rmdir'): 'ENOTEMPTY', ('symlink', 'unlink'): 'ok',
        ('symlink', 'rmdir'): 'ENOTDIR', ('fifo', 'unlink'): 'ok', ('fifo', 'rmdir'): 'ENOTDIR',
        ('socket', 'unlink'): 'ok', ('none', 'unlink'): 'ENOENT', ('none', 'rmdir'): 'ENOENT'}
    for (kind, what), expected in table.items():
        path = kind + '-' + what
        make(kind, path)
        eq(outcome(getattr(os, what), path), expected, path)
        eq(kind_of(path), 'none' if expected == 'ok' else kind, path)
    os.mkdir('d')
    fails(EINVAL, os.rmdir, 'd/.')
    eq(outcome(os.rmdir, 'd/..') in ('ENOTEMPTY', 'EINVAL', 'EEXIST'), True)


@test
def what_is_open_outlives_its_name():
    data = os.urandom(200000)
    put('f', data)
    fd = os.open('f', os.O_RDWR)
    os.unlink('f')
    eq(os.fstat(fd).st_nlink, 0)
    eq(os.pread(fd, 300000, 0), data)
    os.pwrite(fd, b'more', 250000)
    os.fsync(fd)
    os.ftruncate(fd, 250002)
    os.fchmod(fd, 0o600)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    eq(os.pread(fd, 10, 249998), b'\0\0mo')
    eq((os.fstat(fd).st_size, stat.S_IMODE(os.fstat(fd).st_mode)), (250002, 0o600))
    put('f', b'another')
    eq(os.pread(fd, 5, 0), data[:5])
    os.close(fd)
    os.mkdir('d')
    here = os.open('d', os.O_RDONLY | os.O_DIRECTORY)
    os.rmdir('d')
    eq(os.listdir(here) in ([], ['.', '..']), True)
    fails(ENOENT, os.mkdir, 'x', dir_fd=here)
    fails(ENOENT, os.open, 'x', os.O_CREAT | os.O_WRONLY, dir_fd=here)
    fails(ENOENT, os.symlink, 'x', 'x', dir_fd=here)
    os.close(here)
    put('over', b'old')
    put('new', b'new')
    fd = os.open('over', os.O_RDONLY)
    os.rename('new', 'over')
    eq((os.pread(fd, 10, 0), get('over')), (b'old', b'new'))
    os.close(fd)


@test
def a_temporary_file_gets_a_name_or_none():
    try:
        fd = os.open('.', os.O_TMPFILE | os.O_RDWR, 0o640)
    except OSError as e:
        raise LeftOut('O_TMPFILE: ' + errno.errorcode[e.errno])
    os.write(fd, b'x' * 100000)
    eq((os.listdir('.'), os.fstat(fd).st_nlink), ([], 0))
    linkat_fd(fd, 'named')
    eq((os.stat('named').st_nlink, mode_of('named'), get('named')), (1, 0o640, b'x' * 100000))
    fails(EEXIST, linkat_fd, fd, 'named')
    linkat_fd(fd, 'second')
    eq(os.fstat(fd).st_nlink, 2)
    os.close(fd)
    fd = os.open('.', os.O_TMPFILE | os.O_RDWR | os.O_EXCL)
    fails(ENOENT, linkat_fd, fd, 'excluded')
    os.close(fd)


# Renaming.

def rename_expected(source, target, flags):
    """By the manual of renameat2."""
    is_directory = {'file': False, 'symlink': False, 'empty': True, 'full': True}
    if flags == NOREPLACE:
        return 'ok' if target == 'none' else 'EEXIST'
    if flags == EXCHANGE:
        return 'ENOENT' if target == 'none' else 'ok'
    if target == 'none':
        return 'ok'
    if is_directory[source] and not is_directory[target]:
        return 'ENOTDIR'
    if not is_directory[source] and is_directory[target]:
        return 'EISDIR'
    return 'ENOTEMPTY' if target == 'full' else 'ok'


@test
def the_rename_matrix():
    kinds = ('file', 'symlink', 'empty', 'full')
    places = (('', ''), ('a/', 'a/'), ('a/', 'b/'))
    for number, (source, target, flags, (here, there)) in enumerate(
            itertools.product(kinds, kinds + ('none',), (0, NOREPLACE, EXCHANGE), places)):
        os.mkdir(str(number))
        os.chdir(str(number))
        os.mkdir('a')
        os.mkdir('b')
        make(source, here + 'from')
        make(target, there + 'to')
        inodes = [os.lstat(here + 'from').st_ino, os.lstat(there + 'to').st_ino if target != 'none' else None]
        expected = rename_expected(source, target, flags)
        eq(outcome(renameat2, here + 'from', there + 'to', flags), expected, source, target, flags, here, there)
        after = (kind_of(here + 'from'), kind_of(there + 'to'))
        if expected != 'ok':
            eq(after, (source, target), source, target, flags)
        elif flags == EXCHANGE:
            eq(after, (target, source), source, target, flags)
            eq([os.lstat(there + 'to').st_ino, os.lstat(here + 'from').st_ino], inodes)
        else:
            eq(after, ('none', source), source, target, flags)
            eq(os.lstat(there + 'to').st_ino, inodes[0])
        os.chdir('..')


@test
def renames_that_make_no_sense_are_refused():
    os.makedirs('d/e/f')
    put('x')
    fails(EINVAL, os.rename, 'd', 'd/e/g')
    fails(EINVAL, os.rename, 'd', 'd/e/f/g')
    fails(EINVAL, renameat2, 'd', 'd/e', EXCHANGE)
    fails(EINVAL, renameat2, 'd/e', 'd', EXCHANGE)
    fails(ENOTEMPTY, os.rename, 'd/e', 'd')
    fails(ENOENT, os.rename, 'none', 'x')
    fails(ENOENT, os.rename, 'x', 'none/x')
    fails(ENOTDIR, os.rename, 'x', 'x/y')
    fails(EINVAL, renameat2, 'x', 'y', NOREPLACE | EXCHANGE)
    eq(outcome(os.rename, 'd/.', 'y') in ('EBUSY', 'EINVAL'), True)
    eq(outcome(os.rename, 'd/..', 'y') in ('EBUSY', 'EINVAL', 'ENOTEMPTY'), True)
    os.rename('d', 'd')
    eq(sorted(os.listdir('.')), ['d', 'x'])


@test
def renaming_one_name_of_a_file_to_another_does_nothing():
    put('a', b'x')
    os.link('a', 'b')
    os.rename('a', 'b')
    eq((sorted(os.listdir('.')), os.stat('a').st_nlink), (['a', 'b'], 2))


@test
def a_directory_that_moves_takes_all_along():
    os.makedirs('a/b/c')
    put('a/b/c/f', b'deep')
    here = os.open('a/b/c', os.O_RDONLY)
    os.mkdir('z')
    os.rename('a/b', 'z/y')
    eq(get('z/y/c/f'), b'deep')
    eq(os.stat('z/y/..').st_ino, os.stat('z').st_ino)
    eq(os.stat('../..', dir_fd=here).st_ino, os.stat('z').st_ino)
    put('/proc/self/fd/%d/g' % here, b'through the old descriptor')
    eq(get('z/y/c/g'), b'through the old descriptor')
    os.close(here)


# Reading a directory while it changes.

@test
def every_entry_that_stays_is_listed_once():
    names = {'stay-%d' % i for i in range(500)}
    for name in names:
        put(name)
    for i in range(500):
        put('go-%d' % i)
    seen = []
    with os.scandir('.') as entries:
        for number, entry in enumerate(entries):
            seen.append(entry.name)
            if number < 500:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink('go-%d' % number)
                put('come-%d' % number)
    eq(len(seen), len(set(seen)))
    eq(names - set(seen), set())
    eq({name for name in os.listdir('.') if name.startswith('stay')}, names)


@test
def listing_can_go_on_from_a_place():
    LIBC.opendir.restype = LIBC.readdir.restype = ctypes.c_void_p
    LIBC.telldir.restype = ctypes.c_long
    for i in range(300):
        put('f%d' % i)
    directory = ctypes.c_void_p(LIBC.opendir(b'.'))

    def entry():
        at = LIBC.readdir(directory)
        return ctypes.string_at(at + 19) if at else None

    order, places = [], []
    while (name := entry()) is not None:
        order.append(name)
        places.append(LIBC.telldir(directory))
    eq(len(order), 302)
    for i in (0, 1, 2, 50, 299):
        LIBC.seekdir(directory, ctypes.c_long(places[i]))
        eq(entry(), order[i + 1], 'after', i)
    LIBC.rewinddir(directory)
    eq(entry(), order[0])
    LIBC.closedir(directory)


# Contents.

@test
def appending_writes_at_the_end_whatever_the_offset():
    put('f', b'12345')
    fd = os.open('f', os.O_RDWR | os.O_APPEND)
    other = os.open('f', os.O_WRONLY)
    os.lseek(fd, 0, os.SEEK_SET)
    os.write(fd, b'6')
    os.pwrite(other, b'7', 6)
    os.write(fd, b'8')
    eq(os.lseek(fd, 0, os.SEEK_CUR), 8)
    eq(get('f'), b'12345678')
    os.ftruncate(fd, 2)
    os.write(fd, b'!')
    eq(get('f'), b'12!')
    os.close(fd)
    os.close(other)


@test
def holes_read_as_zeros_up_to_far_offsets():
    for offset in (4095, 65536, 1 << 20, (1 << 32) + 1, (1 << 40) - 1, (1 << 43) + 7):
        fd = os.open('f', os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        os.pwrite(fd, b'end', offset)
        eq(os.fstat(fd).st_size, offset + 3)
        eq(os.fstat(fd).st_blocks * 512 <= 2 << 20, True)
        os.fsync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        eq(os.pread(fd, 10, offset - 3), b'\0\0\0end')
        eq(os.pread(fd, 3, 0), b'\0\0\0')
        eq(os.lseek(fd, 0, os.SEEK_HOLE) in (0, offset + 3), True)
        data = os.lseek(fd, 0, os.SEEK_DATA)
        eq(data <= offset, True)
        fails(ENXIO, os.lseek, fd, offset + 3, os.SEEK_DATA)
        os.close(fd)


def requires_data(path, fds, start, end):
    """Fails when one who copies only what SEEK_DATA and SEEK_HOLE show would miss a byte of what lies from start to end."""
    for fd in fds:
        size = os.fstat(fd).st_size
        shown, at = 0, 0
        while at < size:
            try:
                data = os.lseek(fd, at, os.SEEK_DATA)
            except OSError as e:
                eq(e.errno, ENXIO)
                break
            eq(data >= at, True, 'data before', at)
            hole = os.lseek(fd, data, os.SEEK_HOLE)
            eq(data < hole <= size, True, 'data from', data, 'to', hole)
            shown += max(0, min(hole, end) - max(data, start))
            at = hole
        eq(shown, end - start, 'bytes shown of', path)
        fails(ENXIO, os.lseek, fd, size, os.SEEK_DATA)
        fails(ENXIO, os.lseek, fd, size, os.SEEK_HOLE)


@test
def what_is_written_and_not_yet_synced_is_no_hole():
    for start, length in ((0, 1), (0, 300_000), (100_000, 5), (1 << 20, 100), ((1 << 33) + 5, 70_000)):
        fd = os.open('f', os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        other = os.open('f', os.O_RDONLY)
        os.pwrite(fd, b'x' * length, start)
        requires_data('f', (fd, other), start, start + length)
        os.pwrite(fd, b'y' * 10, start + length)
        requires_data('f', (other, fd), start, start + length + 10)
        os.close(fd)
        requires_data('f', (other,), start, start + length + 10)
        os.close(other)


@test
def what_is_written_into_a_hole_is_no_hole_before_it_is_synced():
    fd = os.open('f', os.O_RDWR | os.O_CREAT)
    other = os.open('f', os.O_RDONLY)
    os.ftruncate(fd, 8 << 20)
    os.fsync(fd)
    eq(os.lseek(other, 0, os.SEEK_HOLE) in (0, 8 << 20), True)
    for start in (5 << 20, 3 << 20, 7 << 20, 0):
        os.pwrite(fd, b'x' * 200_000, start)
        requires_data('f', (other, fd), start, start + 200_000)
    fallocate(fd, PUNCH_HOLE | KEEP_SIZE, 3 << 20, 1 << 20)
    os.pwrite(fd, b'z', (3 << 20) + 70_000)
    requires_data('f', (other, fd), (3 << 20) + 70_000, (3 << 20) + 70_001)
    os.close(fd)
    os.close(other)


@test
def what_is_stored_into_a_mapping_is_no_hole_before_it_is_synced():
    fd = os.open('f', os.O_RDWR | os.O_CREAT)
    os.ftruncate(fd, 4 << 20)
    os.fsync(fd)
    with mmap.mmap(fd, 4 << 20) as memory:
        os.close(fd)
        other = os.open('f', os.O_RDONLY)
        memory[3 << 20] = 1
        requires_data('f', (other,), 3 << 20, (3 << 20) + 1)
        memory[5000] = 2
        requires_data('f', (other,), 5000, 5001)
        eq((memory[3 << 20], memory[5000], memory[5001]), (1, 2, 0))
    requires_data('f', (other,), 5000, 5001)
    os.close(other)


@test
def a_copy_that_leaves_out_holes_has_what_was_written_last():
    for how in ('auto', 'always', 'never'):
        fd = os.open('from', os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        os.ftruncate(fd, 20 << 20)
        os.fsync(fd)
        for at in range(0, 20 << 20, 3 << 20):
            os.pwrite(fd, os.urandom(1000) * 100, at + 12_345)
        subprocess.run(['cp', '--sparse=' + how, '--reflink=never', 'from', 'to'], check=True)
        eq(hashlib.sha1(get('to')).digest(), hashlib.sha1(get('from')).digest(), how)
        os.close(fd)


@test
def the_largest_file_has_a_limit_and_says_so():
    fd = os.open('f', os.O_RDWR | os.O_CREAT)
    limit = None
    for size in (FILE_OFFSET_MAX, (1 << 63) - 4096, 1 << 62, 1 << 50, (1 << 44) - 4096):
        what = outcome(os.ftruncate, fd, size)
        if what == 'ok':
            limit = size
            break
        eq(what in ('EFBIG', 'EINVAL'), True, size, what)
    eq(os.fstat(fd).st_size, limit)
    eq(os.pread(fd, 4, limit - 4), b'\0\0\0\0')
    eq(os.pwrite(fd, b'last', limit - 4), 4)
    eq(os.pread(fd, 4, limit - 4), b'last')
    fails(EINVAL, os.ftruncate, fd, -1)
    fails(EINVAL, os.pread, fd, 1, -1)
    if limit == FILE_OFFSET_MAX:
        eq(outcome(os.pwrite, fd, b'x', FILE_OFFSET_MAX) in ('EFBIG', 'EINVAL'), True)
        eq(outcome(os.pwrite, fd, b'xx', FILE_OFFSET_MAX - 1) in ('ok', 'EFBIG', 'EINVAL'), True)
    os.fsync(fd)
    os.ftruncate(fd, 0)
    os.close(fd)


@test
def the_limit_of_a_process_stops_a_write():
    import resource

    def limited():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10000, 10000))
        fd = os.open('f', os.O_RDWR | os.O_CREAT)
        short = os.pwrite(fd, b'x' * 20000, 0)
        return short, outcome(os.pwrite, fd, b'x', 10000), outcome(os.ftruncate, fd, 10001), os.fstat(fd).st_size

    eq(in_child(limited), str((10000, 'EFBIG', 'EFBIG', 10000)))


@test
def truncation_cuts_and_extends():
    for size, to in itertools.product((0, 1, 4096, 65535, 65536, 200001), (0, 1, 512, 65536, 65537, 300000)):
        data = os.urandom(size)
        put('f', data)
        os.truncate('f', to)
        eq(get('f'), data[:to] + bytes(max(0, to - size)), size, to)
        os.truncate('f', to + 100)
        eq(get('f')[to:], bytes(100), size, to)
    fails(EISDIR, os.truncate, '.', 0)
    fails(ENOENT, os.truncate, 'none', 0)
    fd = os.open('f', os.O_RDONLY)
    eq(outcome(os.ftruncate, fd, 0) in ('EINVAL', 'EBADF'), True)
    fails(EBADF, os.write, fd, b'x')
    os.close(fd)


@test
def ranges_are_allocated_zeroed_and_punched():
    data = os.urandom(400000)
    table = ((0, 100, 50, 400000), (0, 399000, 5000, 404000), (KEEP_SIZE, 500000, 10000, 400000),
             (ZERO_RANGE, 65000, 140000, 400000), (ZERO_RANGE, 399000, 5000, 404000),
             (ZERO_RANGE | KEEP_SIZE, 399000, 5000, 400000), (PUNCH_HOLE | KEEP_SIZE, 1, 300000, 400000),
             (PUNCH_HOLE | KEEP_SIZE, 65536, 131072, 400000), (PUNCH_HOLE | KEEP_SIZE, 390000, 50000, 400000))
    for mode, offset, length, size in table:
        put('f', data)
        fd = os.open('f', os.O_RDWR)
        what = outcome(fallocate, fd, mode, offset, length)
        if what == 'EOPNOTSUPP':
            os.close(fd)
            continue
        eq(what, 'ok', mode, offset, length)
        expected = bytearray(data + bytes(max(0, size - len(data))))
        if mode & (ZERO_RANGE | PUNCH_HOLE):
            end = min(offset + length, size)
            expected[offset:end] = bytes(end - offset)
        os.fsync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        eq(os.fstat(fd).st_size, size, mode, offset, length)
        eq(get('f') == expected, True, mode, offset, length)
        os.close(fd)
    fd = os.open('f', os.O_RDWR)
    fails(EINVAL, fallocate, fd, 0, 0, 0)
    fails(EINVAL, fallocate, fd, 0, -1, 10)
    eq(outcome(fallocate, fd, PUNCH_HOLE, 0, 10), 'EOPNOTSUPP')
    fails(EFBIG, fallocate, fd, 0, FILE_OFFSET_MAX - 10, 100)
    os.close(fd)
    fd = os.open('f', os.O_RDONLY)
    fails(EBADF, fallocate, fd, 0, 0, 10)
    os.close(fd)


@test
def punched_and_overwritten_space_is_given_back_in_what_is_shown():
    def blocks(change):
        # Linux may show blocks as they were until a file is closed.
        fd = os.open('f', os.O_RDWR | os.O_CREAT)
        try:
            change(fd)
            os.fsync(fd)
        finally:
            os.close(fd)
        return os.stat('f').st_blocks

    full = blocks(lambda fd: os.write(fd, os.urandom(1 << 20)))
    eq(2048 <= full <= 2100, True, full)
    try:
        half = blocks(lambda fd: fallocate(fd, PUNCH_HOLE | KEEP_SIZE, 0, 1 << 19))
    except OSError as e:
        eq(e.errno, EOPNOTSUPP)
        raise LeftOut('punches no holes')
    eq(half <= full - 1024, True, full, half)
    eq(blocks(lambda fd: os.ftruncate(fd, 0)) < 64, True)


@test
def a_range_copied_is_equal_and_apart():
    data = os.urandom(500000)
    put('a', data)
    put('b', b'')
    a, b = os.open('a', os.O_RDWR), os.open('b', os.O_RDWR)
    done = 0
    try:
        while done < len(data):
            done += os.copy_file_range(a, b, len(data) - done, done, done)
    except OSError as e:
        raise LeftOut('copy_file_range: ' + errno.errorcode[e.errno])
    eq(get('b'), data)
    os.pwrite(a, b'changed', 100000)
    eq(get('b'), data)
    os.pwrite(b, b'other', 200000)
    eq(os.pread(a, 5, 200000), data[200000:200005])
    eq(os.copy_file_range(a, b, 1000, len(data), 0), 0)
    fails(EINVAL, os.copy_file_range, a, a, 1000, 0, 500)
    os.close(a)
    os.close(b)


@test
def mappings_share_or_keep_apart():
    data = os.urandom(200000)
    put('f', data)
    fd = os.open('f', os.O_RDWR)
    shared = mmap.mmap(fd, 200000, mmap.MAP_SHARED)
    private = mmap.mmap(fd, 200000, mmap.MAP_PRIVATE)
    private[10:13] = b'own'
    eq(shared[10:13], data[10:13])
    shared[70000:70005] = b'hello'
    eq(os.pread(fd, 5, 70000), b'hello')
    os.pwrite(fd, b'world', 80000)
    eq(shared[80000:80005], b'world')
    eq(in_child(lambda: get('f')[70000:70005]), "b'hello'")
    shared.flush()
    shared[199999:200000] = b'!'
    shared.close()
    private.close()
    os.close(fd)
    expected = bytearray(data)
    expected[70000:70005], expected[80000:80005], expected[199999:] = b'hello', b'world', b'!'
    eq(get('f') == expected, True)
    fd = os.open('f', os.O_RDONLY)
    fails(EACCES, mmap.mmap, fd, 1000, mmap.MAP_SHARED, mmap.PROT_WRITE)
    os.close(fd)


@test
def a_mapped_program_runs_and_cannot_be_written():
    put('true', get('/bin/true'), mode=0o755)
    eq(subprocess.run(['./true']).returncode, 0)


# Times. What the media keep are microseconds.

@test
def times_are_set_exactly_now_or_not_at_all():
    def utimensat(atime, mtime):
        call('utimensat', AT_FDCWD, b'f', struct.pack('4q', *atime, *mtime), 0)

    put('f')
    # An access time of 0 is none on HAMMER2's media.
    for seconds, nanos in ((0, 1000), (1, 999999000), (1234567890, 123456000), ((1 << 32) + 5, 1000), (4102444800, 0)):
        utimensat((seconds, nanos), (seconds + 1, nanos))
        status = os.stat('f')
        eq(status.st_atime_ns, seconds * 10**9 + nanos)
        eq(status.st_mtime_ns, (seconds + 1) * 10**9 + nanos)
    utimensat((5, 0), (0, UTIME_OMIT))
    eq((os.stat('f').st_atime, os.stat('f').st_mtime_ns), (5, 4102444801 * 10**9))
    utimensat((0, UTIME_OMIT), (0, UTIME_NOW))
    eq(os.stat('f').st_atime, 5)
    eq(abs(os.stat('f').st_mtime - time.time()) < 60, True)
    utimensat((0, UTIME_OMIT), (0, UTIME_OMIT))
    eq(os.stat('f').st_atime, 5)
    eq(outcome(utimensat, (0, 10**9), (0, 0)), 'EINVAL')


@test
def finer_times_are_shown_as_they_are_kept():
    put('f')
    os.utime('f', ns=(1000000001, 2000000999))
    shown = os.stat('f').st_atime_ns, os.stat('f').st_mtime_ns
    eq(shown in ((1000000001, 2000000999), (1000000000, 2000000000)), True, shown)
    # Whatever else is asked of the file system, it is the same.
    fd = os.open('f', os.O_RDWR)
    os.fsync(fd)
    os.close(fd)
    eq((os.stat('f').st_atime_ns, os.stat('f').st_mtime_ns), shown)


@test
def operations_mark_the_times_that_they_should():
    """What each marks: m and c of the file, M and C of its directory; nothing else may be marked."""
    def descriptor(flags, body):
        fd = os.open('d/f', flags)
        try:
            body(fd)
        finally:
            os.close(fd)

    table = (
        ('write', 'mc', lambda: descriptor(os.O_WRONLY, lambda fd: os.write(fd, b'y'))),
        ('append', 'mc', lambda: descriptor(os.O_WRONLY | os.O_APPEND, lambda fd: os.write(fd, b'y'))),
        ('write nothing', '', lambda: descriptor(os.O_WRONLY, lambda fd: os.write(fd, b''))),
        ('truncate', 'mc', lambda: os.truncate('d/f', 1)),
        ('truncate at open', 'mc', lambda: descriptor(os.O_WRONLY | os.O_TRUNC, lambda fd: None)),
        ('extend', 'mc', lambda: os.truncate('d/f', 100)),
        ('chmod', 'c', lambda: os.chmod('d/f', 0o600)),
        ('chown', 'c', lambda: os.chown('d/f', os.getuid(), os.getgid())),
        ('utime', 'c', lambda: os.utime('d/f', (1, 1))),
        ('link', 'cMC', lambda: os.link('d/f', 'd/g')),
        ('unlink of another name', 'cMC', lambda: os.unlink('d/g')),
        ('create', 'MC', lambda: put('d/new')),
        ('unlink', 'MC', lambda: os.unlink('d/new')),
        ('mkdir', 'MC', lambda: os.mkdir('d/s')),
        ('create below', '', lambda: put('d/s/x')),
        ('unlink below', '', lambda: os.unlink('d/s/x')),
        ('rmdir', 'MC', lambda: os.rmdir('d/s')),
        ('symlink', 'MC', lambda: os.symlink('x', 'd/l')),
        ('mknod', 'MC', lambda: os.mkfifo('d/p')),
        ('rename within', 'MC?', lambda: os.rename('d/f', 'd/h')),
        ('rename back', 'MC?', lambda: os.rename('d/h', 'd/f')),
        ('read', '', lambda: get('d/f')),
        ('stat', '', lambda: os.stat('d/f')),
        ('list', '', lambda: os.listdir('d')),
        ('refused', '', lambda: outcome(os.mkdir, 'd/f')),
    )
    os.mkdir('d')
    put('d/f', b'x' * 50)
    for name, expected, action in table:
        path = 'd/f' if os.path.exists('d/f') else 'd/h'
        os.utime(path, (1, 1))
        os.utime('d', (1, 1))
        tick()
        before = os.stat(path).st_ctime_ns, os.stat('d').st_ctime_ns
        action()
        file, folder = os.stat('d/f' if os.path.exists('d/f') else 'd/h'), os.stat('d')
        marked = ('m' if file.st_mtime_ns != 10**9 else '') + ('c' if file.st_ctime_ns != before[0] else '')
        marked += ('M' if folder.st_mtime_ns != 10**9 else '') + ('C' if folder.st_ctime_ns != before[1] else '')
        if expected.endswith('?'):
            # Whether a rename marks the file itself is up to the file system.
            expected, marked = expected[:-1], marked.replace('c', '')
        eq(marked, expected, name)


@test
def a_mapped_write_marks_the_times_when_it_is_synced():
    put('f', b'x' * 5000)
    os.utime('f', (1, 1))
    fd = os.open('f', os.O_RDWR)
    mapping = mmap.mmap(fd, 5000)
    mapping[100:101] = b'y'
    mapping.flush()
    eq(os.stat('f').st_mtime > 1000, True)
    mapping.close()
    os.close(fd)


# Locks.

@test
def record_locks_are_a_processes_own():
    put('f', b'x' * 100)
    f = open('f', 'r+b')
    fcntl.lockf(f, fcntl.LOCK_EX, 10, 20)

    def probe(kind, length, start):
        with open('f', 'r+b') as g:
            return outcome(fcntl.lockf, g, kind | fcntl.LOCK_NB, length, start)

    refused = ('EAGAIN', 'EACCES')
    eq(in_child(lambda: probe(fcntl.LOCK_EX, 5, 25)) in refused, True)
    eq(in_child(lambda: probe(fcntl.LOCK_SH, 5, 25)) in refused, True)
    eq(in_child(lambda: probe(fcntl.LOCK_EX, 20, 0)), 'ok')
    eq(in_child(lambda: probe(fcntl.LOCK_EX, 5, 30)), 'ok')
    fcntl.lockf(f, fcntl.LOCK_SH, 10, 20)
    eq(in_child(lambda: probe(fcntl.LOCK_SH, 5, 25)), 'ok')
    eq(in_child(lambda: probe(fcntl.LOCK_EX, 5, 25)) in refused, True)
    # Closing any descriptor of the file gives them up.
    open('f').close()
    eq(in_child(lambda: probe(fcntl.LOCK_EX, 0, 0)), 'ok')
    f.close()


@test
def locks_of_open_file_descriptions_and_whole_files():
    F_OFD_SETLK = 37
    put('f', b'x')
    one, two = os.open('f', os.O_RDWR), os.open('f', os.O_RDWR)

    def ofd(fd, kind):
        fcntl.fcntl(fd, F_OFD_SETLK, struct.pack('hhqqi4x', kind, 0, 0, 0, 0))

    ofd(one, fcntl.F_WRLCK)
    eq(outcome(ofd, two, fcntl.F_WRLCK) in ('EAGAIN', 'EACCES'), True)
    open('f').close()
    eq(outcome(ofd, two, fcntl.F_RDLCK) in ('EAGAIN', 'EACCES'), True)
    ofd(one, fcntl.F_UNLCK)
    ofd(two, fcntl.F_WRLCK)
    ofd(two, fcntl.F_UNLCK)
    fcntl.flock(one, fcntl.LOCK_EX)
    eq(outcome(fcntl.flock, two, fcntl.LOCK_SH | fcntl.LOCK_NB), 'EAGAIN')
    fcntl.flock(one, fcntl.LOCK_SH)
    fcntl.flock(two, fcntl.LOCK_SH)
    os.close(one)
    fcntl.flock(two, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(two)


@test
def a_lock_that_is_waited_for_comes():
    put('f', b'x')
    f = open('f', 'r+b')
    fcntl.lockf(f, fcntl.LOCK_EX)
    read, write = os.pipe()
    if os.fork() == 0:
        with open('f', 'r+b') as g:
            os.write(write, b'1')
            fcntl.lockf(g, fcntl.LOCK_EX)
            os.write(write, b'2')
        os._exit(0)
    eq(os.read(read, 1), b'1')
    eq(select.select([read], [], [], 0.2)[0], [])
    fcntl.lockf(f, fcntl.LOCK_UN)
    eq(os.read(read, 1), b'2')
    os.wait()
    f.close()


# The rest.

@test
def free_space_shrinks_with_what_is_written():
    def status():
        fd = os.open('.', os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)
        return os.statvfs('.')

    before = status()
    eq(before.f_bavail <= before.f_bfree <= before.f_blocks, True)
    put('f', os.urandom(8 << 20))
    fd = os.open('f', os.O_RDWR)
    os.fsync(fd)
    os.close(fd)
    after = status()
    eq((before.f_bfree - after.f_bfree) * before.f_frsize >= 4 << 20, True, before, after)


@test
def inode_numbers_tell_files_apart():
    numbers = set()
    for i in range(200):
        put('f%d' % i)
        numbers.add(os.stat('f%d' % i).st_ino)
    eq(len(numbers), 200)
    with os.scandir('.') as entries:
        for entry in entries:
            eq(entry.inode(), os.stat(entry.name).st_ino)
            eq(entry.is_file(follow_symlinks=False), True)


@with_users
def immutable_and_append_only_files_are_protected():
    put('f', b'x')
    os.mkdir('d')
    put('d/in', b'x')
    source, opened = os.open('d/in', os.O_RDONLY), os.open('f', os.O_RDWR)
    flags = IMMUTABLE
    if outcome(set_flags, 'f', flags) != 'ok':
        raise LeftOut('no such flags here')
    set_flags('d', IMMUTABLE)
    try:
        for what, arguments in ((os.unlink, ('f',)), (os.rename, ('f', 'g')), (os.link, ('f', 'g')), (os.chmod, ('f', 0)),
                                (os.chown, ('f', 1, 1)), (os.truncate, ('f', 0)), (os.open, ('f', os.O_WRONLY)),
                                (put, ('d/new',)), (os.unlink, ('d/in',)), (os.mkdir, ('d/new',)),
                                (os.rename, ('d/in', 'd/out')), (os.rename, ('d/in', 'out'))):
            eq(outcome(what, *arguments), 'EPERM', what.__name__, arguments)
        eq(get('f'), b'x')
        put('d/in', b'the file in it is not')
        eq(outcome(os.copy_file_range, source, opened, 3), 'EPERM')
    finally:
        set_flags('f', 0)
        set_flags('d', 0)
    set_flags('f', APPEND_ONLY)
    try:
        for what, arguments in ((os.unlink, ('f',)), (os.rename, ('f', 'g')), (os.truncate, ('f', 0)),
                                (os.open, ('f', os.O_WRONLY)), (os.open, ('f', os.O_WRONLY | os.O_APPEND | os.O_TRUNC))):
            eq(outcome(what, *arguments), 'EPERM', what.__name__, arguments)
        put('f', b'yz', os.O_WRONLY | os.O_APPEND)
        eq(get('f'), b'xyz')
        eq(outcome(os.utime, 'f', (1, 1)), 'EPERM')
        os.utime('f')
    finally:
        set_flags('f', 0)
    os.unlink('f')
    eq(as_user(OWNER, lambda: set_flags('d', IMMUTABLE)) in ('EPERM', 'EACCES'), True)


# Several users.

ACCESS = {
    'r': lambda p: os.close(os.open(p, os.O_RDONLY)),
    'w': lambda p: os.close(os.open(p, os.O_WRONLY)),
    'x': lambda p: None if os.access(p, os.X_OK, effective_ids=True) else (_ for _ in ()).throw(OSError(EACCES, p)),
}
CLASSES = (('owner', OWNER, OWNER, 6), ('group', MEMBER, GROUP, 3), ('other', OTHER, OTHER, 0))


@with_users
def each_class_may_what_its_bits_say():
    os.chmod('.', 0o755)
    put('f', b'#!/bin/true\n')
    os.chown('f', OWNER, GROUP)
    for mode in (0, 0o400, 0o040, 0o004, 0o200, 0o020, 0o002, 0o100, 0o010, 0o001, 0o640, 0o406, 0o070, 0o777, 0o755):
        os.chmod('f', mode)
        for name, uid, gid, shift in CLASSES:
            for number, letter in enumerate('xwr'):
                allowed = mode >> shift & 1 << number
                eq(as_user(uid, lambda: ACCESS[letter]('f'), gid), 'ok' if allowed else 'EACCES', oct(mode), name, letter)
    os.chmod('f', 0o070)
    eq(as_user(OTHER, lambda: ACCESS['r']('f'), OTHER, (GROUP,)), 'ok', 'supplementary group')


@with_users
def directories_are_guarded_by_their_bits():
    os.chmod('.', 0o755)
    os.mkdir('d')
    put('d/f', b'x')
    os.chmod('d/f', 0o666)
    table = (
        (0o5, {'list': 'ok', 'look': 'ok', 'make': 'EACCES', 'remove': 'EACCES', 'rename': 'EACCES'}),
        (0o1, {'list': 'EACCES', 'look': 'ok', 'make': 'EACCES', 'remove': 'EACCES', 'rename': 'EACCES'}),
        (0o4, {'list': 'ok', 'look': 'EACCES', 'make': 'EACCES', 'remove': 'EACCES', 'rename': 'EACCES'}),
        (0o3, {'list': 'EACCES', 'look': 'ok', 'make': 'ok', 'rename': 'ok', 'remove': 'ok'}),
        (0o2, {'list': 'EACCES', 'look': 'EACCES', 'make': 'EACCES', 'remove': 'EACCES', 'rename': 'EACCES'}))
    put('d/n')
    put('d/m')
    actions = {'list': lambda: os.listdir('d'), 'look': lambda: os.stat('d/f'), 'make': lambda: put('d/new'),
               'rename': lambda: os.rename('d/n', 'd/o'), 'remove': lambda: os.unlink('d/m')}
    for mode, expected in table:
        os.chmod('d', mode)
        for name, what in expected.items():
            eq(as_user(OTHER, actions[name]), what, oct(mode), name)


@with_users
def only_owners_change_attributes():
    os.chmod('.', 0o777)
    put('f', b'x')
    os.chown('f', OWNER, OWNER)
    os.chmod('f', 0o666)
    table = (
        (OTHER, lambda: os.chmod('f', 0o777), 'EPERM'), (OTHER, lambda: os.chown('f', OTHER, -1), 'EPERM'),
        (OTHER, lambda: os.utime('f', (1, 1)), 'EPERM'), (OTHER, lambda: os.utime('f'), 'ok'),
        (OTHER, lambda: os.truncate('f', 0), 'ok'),
        (OWNER, lambda: os.chmod('f', 0o640), 'ok'), (OTHER, lambda: os.utime('f'), 'EACCES'),
        (OTHER, lambda: os.truncate('f', 0), 'EACCES'), (OWNER, lambda: os.utime('f', (1, 1)), 'ok'),
        (OWNER, lambda: os.chown('f', OTHER, -1), 'EPERM'), (OWNER, lambda: os.chown('f', -1, GROUP), 'EPERM'))
    for number, (uid, action, expected) in enumerate(table):
        eq(as_user(uid, action), expected, 'line', number)
    eq(as_user(OWNER, lambda: os.chown('f', -1, GROUP), OWNER, (GROUP,)), 'ok')
    eq(os.stat('f').st_gid, GROUP)
    eq(as_user(OWNER, lambda: os.chmod('f', 0o2755), OWNER, ()), 'ok')
    eq(mode_of('f'), 0o755, 'setgid of a group that is not ours')


@with_users
def set_id_bits_are_lost_to_changes_by_others():
    os.chmod('.', 0o777)

    def fresh(mode):
        put('f', b'12345678')
        os.chown('f', 0, 0)
        os.chmod('f', mode)

    def direct():
        fd = os.open('f', os.O_WRONLY | os.O_DIRECT)
        try:
            os.write(fd, mmap.mmap(-1, 4096))
        finally:
            os.close(fd)

    for name, action in (('write', lambda: put('f', b'x', os.O_WRONLY)), ('truncate', lambda: os.truncate('f', 2)),
                         ('open', lambda: put('f', b'', os.O_WRONLY | os.O_TRUNC)), ('direct', direct)):
        for before, after in ((0o6777, 0o777), (0o4767, 0o767), (0o2777, 0o777)):
            fresh(before)
            eq(as_user(OTHER, action), 'ok')
            eq(mode_of('f'), after, name, oct(before))
    fresh(0o6777)
    os.chown('f', OWNER, GROUP)
    eq(mode_of('f'), 0o777)
    os.mkdir('d')
    os.chmod('d', 0o6777)
    os.chown('d', OWNER, GROUP)
    eq(mode_of('d') & 0o777, 0o777)


@with_users
def sticky_directories_protect_what_others_own():
    os.chmod('.', 0o755)
    os.mkdir('d')
    os.chown('d', MEMBER, MEMBER)
    os.chmod('d', 0o1777)
    for uid, expected in ((OTHER, 'EPERM'), (OWNER, 'ok'), (MEMBER, 'ok')):
        for action in (lambda: os.unlink('d/f'), lambda: os.rename('d/f', 'd/g'), lambda: os.rename('d/h', 'd/f'),
                       lambda: os.rmdir('d/s')):
            for name in ('f', 'g', 'h'):
                if os.path.exists('d/' + name):
                    os.unlink('d/' + name)
            if not os.path.exists('d/s'):
                os.mkdir('d/s')
            put('d/f')
            put('d/h')
            os.chown('d/f', OWNER, OWNER)
            os.chown('d/s', OWNER, OWNER)
            os.chown('d/h', uid, uid)
            eq(as_user(uid, action), expected, uid)


@with_users
def setgid_directories_pass_their_group_on():
    os.chmod('.', 0o755)
    os.mkdir('d')
    os.chown('d', OWNER, GROUP)
    os.chmod('d', 0o2777)
    eq(as_user(OTHER, lambda: (put('d/f'), os.mkdir('d/s'), os.symlink('x', 'd/l'), os.mkfifo('d/p'))), 'ok')
    for name in ('f', 's', 'l', 'p'):
        eq((os.lstat('d/' + name).st_uid, os.lstat('d/' + name).st_gid), (OTHER, GROUP), name)
    eq(mode_of('d/s') & 0o2000, 0o2000)
    os.chmod('d', 0o777)
    eq(as_user(OTHER, lambda: put('d/plain')), 'ok')
    eq(os.stat('d/plain').st_gid, OTHER)


@with_users
def what_somebody_makes_is_his():
    os.chmod('.', 0o777)
    eq(as_user(OWNER, lambda: (put('f'), os.mkdir('d'), os.symlink('x', 'l'), os.mkfifo('p')), GROUP_TWO), 'ok')
    for name in 'fdlp':
        eq((os.lstat(name).st_uid, os.lstat(name).st_gid), (OWNER, GROUP_TWO), name)
    eq(as_user(OTHER, lambda: os.mknod('dev', stat.S_IFCHR | 0o600, os.makedev(1, 3))), 'EPERM')
    eq(as_user(OTHER, lambda: os.close(os.open('f', os.O_RDONLY))), 'ok')


@with_users
def a_set_uid_program_runs_as_its_owner():
    os.chmod('.', 0o755)
    put('id', get('/usr/bin/id'), mode=0o755)
    os.chown('id', OWNER, OWNER)
    os.chmod('id', 0o4755)
    mounted = [line.split() for line in open('/proc/mounts')]
    here = max((m for m in mounted if os.getcwd().startswith(m[1])), key=lambda m: len(m[1]))
    if 'nosuid' in here[3].split(','):
        raise LeftOut('mounted nosuid')

    def run():
        eq(subprocess.run(['./id', '-u'], capture_output=True, text=True).stdout, '%d\n' % OWNER)

    eq(as_user(OTHER, run), 'ok')


def listing(root):
    """All that is visible below root, one line for each name."""
    numbers = {}
    # By descriptors, because some paths are longer than a path may be.
    for folder, folders, files, here in os.fwalk(os.fsencode(root)):
        folders.sort()
        for name in sorted(files + folders):
            status = os.stat(name, dir_fd=here, follow_symlinks=False)
            what = ''
            if stat.S_ISREG(status.st_mode) and status.st_size <= 1 << 30:
                with open(os.open(name, os.O_RDONLY, dir_fd=here), 'rb') as f:
                    what = hashlib.file_digest(f, 'sha256').hexdigest()
            elif stat.S_ISLNK(status.st_mode):
                what = repr(os.readlink(name, dir_fd=here))
            # Inode numbers are shown as the order in which they come, so that any file system's are alike.
            number = numbers.setdefault(status.st_ino, len(numbers))
            print(repr(os.path.join(folder, name)), oct(status.st_mode), status.st_uid, status.st_gid, status.st_nlink,
                  status.st_size, status.st_rdev, status.st_mtime_ns, status.st_ctime_ns, number, what)


def run(name, function, root):
    folder = os.path.join(root, name)
    os.mkdir(folder)
    pid = os.fork()
    if pid == 0:
        # In a process of its own: a test that changes umask, limits or the directory leaves no trace in the next.
        code = 1
        try:
            os.umask(0o022)
            os.chdir(folder)
            function()
            print('ok', name)
            code = 0
        except LeftOut as e:
            print('left out %s: %s' % (name, e))
            code = 0
        except BaseException as e:
            at = traceback.extract_tb(e.__traceback__)
            lines = [str(frame.lineno) for frame in at if frame.filename == __file__]
            text = (str(e) if isinstance(e, AssertionError) else repr(e))[:1000]
            print('FAILED %s: %s (lines %s)' % (name, text.replace('\n', ' '), ', '.join(lines)))
        finally:
            sys.stdout.flush()
            os._exit(code)
    return os.waitpid(pid, 0)[1] == 0


def main():
    if sys.argv[1] == '--list':
        listing(sys.argv[2])
        return
    part = sys.argv[2] if len(sys.argv) > 2 else ''
    good = True
    for name, function, needs_users in TESTS:
        if part not in name:
            continue
        if needs_users and not IS_ROOT:
            print('left out %s: needs root' % name, flush=True)
            continue
        sys.stdout.flush()
        good &= run(name, function, sys.argv[1])
    sys.exit(0 if good else 1)


if __name__ == '__main__':
    main()
