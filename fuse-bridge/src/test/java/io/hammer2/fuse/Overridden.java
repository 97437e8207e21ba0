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
}
