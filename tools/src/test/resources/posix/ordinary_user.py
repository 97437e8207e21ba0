#!/usr/bin/env python3
"""Mounts, writes and unmounts as a user who is not root, through fusermount3.

usage: ordinary_user.py FOLDER JAVA [ARGUMENT...]

FOLDER, empty, is for the volumes; "JAVA ARGUMENT... io.hammer2.tools.MountCommand" is mount_hammer2. Run by root it does so as
users 65534 and 65533 in a mount namespace of its own, where it makes /dev/fuse and /etc/fuse.conf what most systems have. Run by
another user it does what that one may. Prints "ok" in the end.
"""
import hashlib
import os
import subprocess
import sys
import time

AS_ROOT = os.geteuid() == 0
USER, OTHER = (65534, 65533) if AS_ROOT else (os.geteuid(), None)
EXIT_FAILURE = 32
SECONDS_MAX = 60


def command_of(uid, *command):
    if uid == os.geteuid():
        return list(command)
    return ['setpriv', '--reuid=%d' % uid, '--regid=%d' % uid, '--clear-groups', '--'] + list(command)


def run(uid, *command, status=0):
    done = subprocess.run(command_of(uid, *command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS_MAX)
    said = done.stdout.decode(errors='replace')
    if done.returncode != status:
        raise AssertionError('%s ended with status %d, not %d: %s' % (command, done.returncode, status, said))
    return said


def tool(name, *arguments, status=0):
    return run(USER, *JAVA, 'io.hammer2.tools.' + name, *arguments, status=status)


def needs(text, said):
    if text not in said:
        raise AssertionError('%r is not in %r' % (text, said))


def mounted(node):
    with open('/proc/self/mounts') as mounts:
        return [line for line in mounts if ' ' + node + ' ' in line]


def await_true(what, condition):
    end = time.monotonic() + SECONDS_MAX
    while not condition():
        if time.monotonic() > end:
            raise AssertionError('waited in vain until ' + what)
        time.sleep(0.02)


class Mount:
    """A volume mounted in the foreground until the block ends, when it is unmounted and the server has ended with status 0."""

    def __init__(self, image, node, options=''):
        self.node = node
        words = ['-o', options] if options else []
        self.process = subprocess.Popen(
            command_of(USER, *JAVA, 'io.hammer2.tools.MountCommand', '-f', *words, image, node),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def __enter__(self):
        try:
            await_true('it is mounted', lambda: mounted(self.node) or self.process.poll() is not None)
            if self.process.poll() is not None:
                raise AssertionError('no mount: ' + self.process.stdout.read().decode())
        except AssertionError:
            self.process.kill()
            raise
        return self

    def __exit__(self, kind, value, trace):
        try:
            run(USER, 'fusermount3', '-u', self.node)
            said = self.process.communicate(timeout=SECONDS_MAX)[0].decode()
            if self.process.returncode != 0 or said:
                raise AssertionError('the server ended with status %d: %s' % (self.process.returncode, said))
        finally:
            self.process.kill()


def private_namespace(folder):
    """What this process mounts from here on nobody else sees, and it goes with it."""
    if '--private' not in sys.argv:
        os.execvp('unshare', ['unshare', '--mount', '--propagation', 'private', sys.executable] + sys.argv + ['--private'])
    sys.argv.remove('--private')
    device = os.path.join(folder, 'fuse')
    os.mknod(device, 0o020666, os.stat('/dev/fuse').st_rdev)
    os.chmod(device, 0o666)
    run(0, 'mount', '--bind', device, '/dev/fuse')
    fuse_conf(folder, '')


def fuse_conf(folder, content):
    path = os.path.join(folder, 'fuse.conf')
    with open(path, 'w') as file:
        file.write(content)
    if not os.path.exists('/etc/fuse.conf'):
        open('/etc/fuse.conf', 'w').close()
    run(0, 'mount', '--bind', path, '/etc/fuse.conf')


def writes_and_finds_it_again(image, node):
    content = os.urandom(3 << 20)
    with Mount(image, node):
        needs('fuse.hammer2 rw,', mounted(node)[0])
        needs('user_id=%d' % USER, mounted(node)[0])
        needs('default_permissions', mounted(node)[0])
        os.umask(0o022)
        source = node + '.source'
        with open(source, 'wb') as file:
            file.write(content)
        run(USER, 'sh', '-ec', 'cd "$1"; cp "$2" file; mkdir dir; ln -s ../file dir/link; chmod 640 file; sync file',
            'sh', node, source)
        needs('%d %d 640' % (USER, USER if AS_ROOT else os.getegid()), run(USER, 'stat', '-c', '%u %g %a', node + '/file'))
        if AS_ROOT:
            # Without allow_other the kernel keeps everybody else out, root included.
            for uid in (OTHER, 0):
                needs('Permission denied', run(uid, 'ls', node, status=2))
            needs('not permitted', run(USER, 'chown', str(OTHER), node + '/file', status=1))
        # In use by somebody.
        needs('busy', run(USER, 'sh', '-c', 'cd "$1" && fusermount3 -u "$1"', 'sh', node, status=1))
    needs('CLEAN', tool('FsckCommand', image))
    log = node + '.log'
    tool('MountCommand', '-o', 'log=' + log, image, node)
    digest = run(USER, 'sha256sum', node + '/dir/link').split()[0]
    if digest != hashlib.sha256(content).hexdigest():
        raise AssertionError('what was written is not there again')
    run(USER, 'fusermount3', '-u', node)
    # The server lets go of the image when all is committed.
    run(USER, 'flock', '-w', str(SECONDS_MAX), '-s', image, 'true')
    with open(log) as file:
        if file.read():
            raise AssertionError('the log of a good mount is not empty')


def is_told_what_is_refused(folder, image, node):
    said = tool('MountCommand', '-f', '-o', 'allow_other', image, node, status=EXIT_FAILURE)
    needs('user_allow_other', said)
    needs('/etc/fuse.conf', said)
    foreign = os.path.join(folder, 'of root')
    run(0, 'cp', image, foreign)
    os.chmod(foreign, 0o600)
    needs('Permission denied', tool('MountCommand', '-f', foreign, node, status=EXIT_FAILURE))
    os.chmod(foreign, 0o644)
    said = tool('MountCommand', '-f', foreign, node, status=EXIT_FAILURE)
    needs('Permission denied', said)
    needs('-o ro', said)
    with Mount(foreign, node, 'ro'):
        needs('file', run(USER, 'ls', node))
        needs('Read-only', run(USER, 'touch', node + '/new', status=1))
    of_root = os.path.join(folder, 'mnt of root')
    os.mkdir(of_root)
    needs('no write access to mountpoint', tool('MountCommand', '-f', image, of_root, status=EXIT_FAILURE))


def lets_others_in_where_the_system_allows_it(folder, image, node):
    fuse_conf(folder, 'user_allow_other\n')
    with Mount(image, node, 'allow_other'):
        needs('dir', run(OTHER, 'ls', node))
        needs('Permission denied', run(OTHER, 'cat', node + '/file', status=1))
        needs('Permission denied', run(OTHER, 'touch', node + '/new', status=1))
        run(USER, 'chmod', '1777', node)
        run(OTHER, 'touch', node + '/new')
        needs(str(OTHER), run(USER, 'stat', '-c', '%u', node + '/new'))
        run(USER, 'rm', node + '/new')
    needs('CLEAN', tool('FsckCommand', image))


def main():
    folder = os.path.realpath(sys.argv[1])
    if AS_ROOT:
        private_namespace(folder)
    own = os.path.join(folder, 'own')
    os.mkdir(own)
    if AS_ROOT:
        os.chown(own, USER, USER)
    image, node = os.path.join(own, 'image'), os.path.join(own, 'mnt')
    run(USER, 'mkdir', node)
    tool('NewfsCommand', '-s', '256M', image)
    writes_and_finds_it_again(image, node)
    if AS_ROOT:
        is_told_what_is_refused(folder, image, node)
        lets_others_in_where_the_system_allows_it(folder, image, node)
    print('ok')


JAVA = [argument for argument in sys.argv[2:] if argument != '--private']
main()
