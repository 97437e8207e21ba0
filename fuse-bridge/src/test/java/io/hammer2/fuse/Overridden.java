package io.hammer2.fuse;

import java.lang.foreign.MemorySegment;

/** Operations of another file system, of which a test replaces some. */
public abstract class Overridden implements FuseOperations {
    private final FuseOperations below;

    protected Overridden(FuseOperations below) {
        this.below = below;
    }

    @Override
    public boolean lookup(FuseCall call, long parent, MemorySegment name, NodeAttributes into) {
        return below.lookup(call, parent, name, into);
    }

    @Override
    public void forget(long node, long lookups) {
        below.forget(node, lookups);
    }

    @Override
    public void getattr(FuseCall call, long node, NodeAttributes into) {
        below.getattr(call, node, into);
    }

    @Override
    public int readlink(FuseCall call, long node, MemorySegment into) {
        return below.readlink(call, node, into);
    }

    @Override
    public boolean opensAreStateless() {
        return below.opensAreStateless();
    }

    @Override
    public long open(FuseCall call, long node, int flags) {
        return below.open(call, node, flags);
    }

    @Override
    public int read(FuseCall call, long node, long handle, long offset, MemorySegment into) {
        return below.read(call, node, handle, offset, into);
    }

    @Override
    public void release(long node, long handle) {
        below.release(node, handle);
    }

    @Override
    public long opendir(FuseCall call, long node) {
        return below.opendir(call, node);
    }

    @Override
    public void readdir(FuseCall call, long node, long handle, long cookie, DirectorySink sink) {
        below.readdir(call, node, handle, cookie, sink);
    }

    @Override
    public void releasedir(long node, long handle) {
        below.releasedir(node, handle);
    }

    @Override
    public void statfs(FuseCall call, VolumeStatistics into) {
        below.statfs(call, into);
    }

    @Override
    public void access(FuseCall call, long node, int mask) {
        below.access(call, node, mask);
    }

    @Override
    public long lseek(FuseCall call, long node, long handle, long offset, int whence) {
        return below.lseek(call, node, handle, offset, whence);
    }

    @Override
    public int ioctl(FuseCall call, long node, int command, MemorySegment in, MemorySegment out) {
        return below.ioctl(call, node, command, in, out);
    }

    @Override
    public boolean opendirsAreStateless() {
        return below.opendirsAreStateless();
    }

    @Override
    public long create(FuseCall call, long parent, MemorySegment name, int mode, int flags, NodeAttributes into) {
        return below.create(call, parent, name, mode, flags, into);
    }

    @Override
    public long tmpfile(FuseCall call, long parent, int mode, int flags, NodeAttributes into) {
        return below.tmpfile(call, parent, mode, flags, into);
    }

    @Override
    public void mknod(
            FuseCall call, long parent, MemorySegment name, int mode, int major, int minor, NodeAttributes into) {
        below.mknod(call, parent, name, mode, major, minor, into);
    }

    @Override
    public void mkdir(FuseCall call, long parent, MemorySegment name, int mode, NodeAttributes into) {
        below.mkdir(call, parent, name, mode, into);
    }

    @Override
    public void symlink(FuseCall call, long parent, MemorySegment name, MemorySegment target, NodeAttributes into) {
        below.symlink(call, parent, name, target, into);
    }

    @Override
    public void link(FuseCall call, long node, long parent, MemorySegment name, NodeAttributes into) {
        below.link(call, node, parent, name, into);
    }

    @Override
    public void unlink(FuseCall call, long parent, MemorySegment name) {
        below.unlink(call, parent, name);
    }

    @Override
    public void rmdir(FuseCall call, long parent, MemorySegment name) {
        below.rmdir(call, parent, name);
    }

    @Override
    public void rename(
            FuseCall call, long parent, MemorySegment name, long newParent, MemorySegment newName, int flags) {
        below.rename(call, parent, name, newParent, newName, flags);
    }

    @Override
    public void setattr(FuseCall call, long node, NodeChange change, NodeAttributes into) {
        below.setattr(call, node, change, into);
    }

    @Override
    public int write(FuseCall call, long node, long handle, long offset, MemorySegment from, int flags) {
        return below.write(call, node, handle, offset, from, flags);
    }

    @Override
    public void fsync(FuseCall call, long node, boolean dataOnly) {
        below.fsync(call, node, dataOnly);
    }

    @Override
    public void syncfs(FuseCall call) {
        below.syncfs(call);
    }

    @Override
    public void fallocate(FuseCall call, long node, long handle, long offset, long length, int mode) {
        below.fallocate(call, node, handle, offset, length, mode);
    }

    @Override
    public long copyFileRange(
            FuseCall call,
            long node,
            long handle,
            long offset,
            long toNode,
            long toHandle,
            long toOffset,
            long length) {
        return below.copyFileRange(call, node, handle, offset, toNode, toHandle, toOffset, length);
    }
}
