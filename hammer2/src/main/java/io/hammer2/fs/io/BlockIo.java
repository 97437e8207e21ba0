package io.hammer2.fs.io;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.fs.codec.CheckCode;
import io.hammer2.fs.codec.CodecException;
import io.hammer2.fs.codec.Compression;
import io.hammer2.fs.codec.Decompressor;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.Limits;
import io.hammer2.lwkt.Cpu;
import io.hammer2.lwkt.Message;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;

/**
 * One cpu's way from a {@link BlockRef} to its block: cache, device, check code, decompression. Every method is called on
 * that cpu.
 *
 * <p>State of a block: LOADING from the first ask until its I/O completes, then READY and in the cache until evicted, or
 * FAILED and forgotten, so that the next ask tries again. A reference must have been validated ({@link BlockRef#validate}).
 */
public final class BlockIo implements AutoCloseable {
    /**
     * Blocks being read ahead at once. Bounds the buffers that nobody waits for; what somebody waits for is bounded by the
     * number of threads.
     */
    private static final int PREFETCH_MAX = 64;

    /** File data up to this size is read with its neighbours, as other small blocks are. */
    private static final int CLUSTERED_DATA_BYTES = 8 * Limits.KIB;

    private static final int BUFFER_ALIGNMENT = 4096;

    private final Cpu cpu;
    private final BlockDevice device;
    private long totalBytes;
    private final PendingWrites pending;

    /** Null where nobody looks for content that comes again. */
    private final RecentBlocks recent;

    private final BlockCache cache;
    private final Arena arena = Arena.ofShared();
    private final Clusters clusters = new Clusters(arena);
    private final Decompressor decompressor = new Decompressor();
    private final ArrayDeque<MemorySegment> buffers = new ArrayDeque<>();
    private int prefetching;
    private int inFlight;
    private boolean closing;
    private Message<Void> idle;

    private long hits;
    private long misses;
    private long prefetches;
    private long deviceReads;
    private long deviceBytes;

    /**
     * @param cpu whose cache this is
     * @param device all volumes, by logical offset
     * @param totalBytes size of the file system; no read goes beyond
     * @param pending blocks of all cpus that the device does not have yet
     * @param cacheBytes bound of the cache
     */
    public BlockIo(Cpu cpu, BlockDevice device, long totalBytes, PendingWrites pending, long cacheBytes) {
        this(cpu, device, totalBytes, pending, null, cacheBytes);
    }

    /** As {@link #BlockIo(Cpu, BlockDevice, long, PendingWrites, long)}; {@code recent} hears of file data that is read, if not null. */
    public BlockIo(
            Cpu cpu, BlockDevice device, long totalBytes, PendingWrites pending, RecentBlocks recent, long cacheBytes) {
        this.cpu = cpu;
        this.device = device;
        this.totalBytes = totalBytes;
        this.pending = pending;
        this.recent = recent;
        this.cache = new BlockCache(cacheBytes);
    }

    public Cpu cpu() {
        return cpu;
    }

    /** Size of the file system in bytes, against which references are validated. */
    public long totalBytes() {
        return totalBytes;
    }

    /** The file system has become larger. */
    public void grow(long newTotalBytes) {
        cpu.assertCurrent();
        totalBytes = newTotalBytes;
    }

    /**
     * The block that {@code slot} refers to, pinned: the caller gives it to {@link #release}. Blocks the thread when it must be
     * read.
     *
     * @throws CorruptBlockException when its check code or its contents are wrong
     * @throws DeviceErrorException when it cannot be read
     */
    public CachedBlock load(BlockTable table, int slot) {
        cpu.assertCurrent();
        CachedBlock block = cache.find(table.segment(), table.offset(slot));
        if (block == null) {
            misses++;
            block = start(table.ref(slot), false);
        } else {
            hits++;
        }
        return await(block);
    }

    /** As {@link #load(BlockTable, int)}, of a reference that was copied out. */
    public CachedBlock load(BlockRef ref) {
        MemorySegment copy = MemorySegment.ofArray(new byte[BlockRef.BYTES]);
        ref.write(copy, 0);
        return load(BlockTable.of(copy), 0);
    }

    /**
     * Starts to read the block if it is neither here nor on its way, and if not too much is on its way already.
     *
     * @return false when the device answered at once (from the host's page cache): reading ahead then hides no waiting
     */
    public boolean prefetch(BlockTable table, int slot) {
        cpu.assertCurrent();
        if (prefetching >= PREFETCH_MAX || closing || cache.find(table.segment(), table.offset(slot)) != null) {
            return true;
        }
        prefetches++;
        return start(table.ref(slot), true).state == CachedBlock.State.LOADING;
    }

    /** Whether {@link #prefetch} would still start a read. */
    public boolean canPrefetch() {
        return prefetching < PREFETCH_MAX;
    }

    /** Takes a copy of a table that this cpu has just written: who changes it next need not read it back. */
    public void put(BlockRef ref, BlockTable written) {
        cpu.assertCurrent();
        CachedBlock block = new CachedBlock(ref);
        cache.insert(block);
        MemorySegment place = cache.place(block, ref.radix());
        block.readyTable(place.copyFrom(written.segment()), written.entryCount());
    }

    /** Gives a loaded block back. */
    public void release(CachedBlock block) {
        cpu.assertCurrent();
        cache.unpin(block);
    }

    public Stats stats() {
        return new Stats(
                hits,
                misses,
                prefetches,
                deviceReads,
                deviceBytes,
                cache.evictedBlocks(),
                cache.blockCount(),
                cache.memoryBytes());
    }

    /** @param memoryBytes of the cache, off-heap */
    public record Stats(
            long hits,
            long misses,
            long prefetches,
            long deviceReads,
            long deviceBytes,
            long evictedBlocks,
            long cachedBlocks,
            long memoryBytes) {}

    /** Waits for the reads that are under way, then frees all memory. On its cpu, and nothing is loaded any more. */
    @Override
    public void close() {
        cpu.assertCurrent();
        closing = true;
        if (inFlight > 0) {
            idle = new Message<>();
            idle.await();
        }
        decompressor.close();
        cache.close();
        arena.close();
    }

    private CachedBlock await(CachedBlock block) {
        cache.pin(block);
        if (block.state == CachedBlock.State.LOADING) {
            Message<Void> loaded = new Message<>();
            block.addWaiter(loaded);
            loaded.await();
        }
        if (block.state == CachedBlock.State.FAILED) {
            cache.unpin(block);
            throw block.failure;
        }
        return block;
    }

    private CachedBlock start(BlockRef ref, boolean prefetch) {
        if (closing) {
            throw new IllegalStateException("load after close: " + ref);
        }
        CachedBlock block = new CachedBlock(ref);
        cache.insert(block);
        // Pinned by its own loading: its frame, if it already has one, is being written by the device.
        cache.pin(block);
        if (isRecent(ref)) {
            block.recentBegun = recent.beginRead(ref);
        }
        if (!readPending(block) && !readClustered(block)) {
            readAlone(block, prefetch);
        }
        return block;
    }

    /** @return false when the device has the block */
    private boolean readPending(CachedBlock block) {
        MemorySegment buffer = takeBuffer();
        MemorySegment stored = buffer.asSlice(0, block.ref.storedBytes());
        boolean found = pending.read(block.ref.offsetBytes(), stored);
        if (found) {
            complete(block, stored, null);
        }
        buffers.push(buffer);
        return found;
    }

    /** @return false when the block has to be read alone */
    private boolean readClustered(CachedBlock block) {
        BlockRef ref = block.ref;
        boolean small = ref.type() == BlockType.DATA
                ? ref.storedBytes() <= CLUSTERED_DATA_BYTES
                : ref.storedBytes() < Clusters.BYTES;
        // Without a code that vouches for it, what was read with others may be an earlier state of the place.
        if (!small
                || !CheckCode.isKnown(ref.checkMethod())
                || !CheckCode.of(ref.checkMethod()).verifies()) {
            return false;
        }
        long base = Clusters.base(ref.offsetBytes());
        Clusters.Cluster cluster = clusters.find(base);
        if (cluster != null && !cluster.loading) {
            MemorySegment stored = storedIn(cluster, ref);
            if (!matches(ref, stored)) {
                return false;
            }
            complete(block, stored, null);
            return true;
        }
        if (cluster == null) {
            cluster = clusters.claim(base);
            if (cluster == null) {
                return false;
            }
            cluster.waiting.add(block);
            readCluster(cluster);
        } else {
            cluster.waiting.add(block);
        }
        return true;
    }

    private void readCluster(Clusters.Cluster cluster) {
        long length = Math.min(Clusters.BYTES, totalBytes - cluster.offsetBytes);
        read(cluster.offsetBytes, cluster.memory.asSlice(0, length), error -> {
            cluster.loading = false;
            if (error != null) {
                cluster.offsetBytes = -1;
            }
            for (CachedBlock block : cluster.waiting) {
                if (error == null && matches(block.ref, storedIn(cluster, block.ref))) {
                    complete(block, storedIn(cluster, block.ref), null);
                } else {
                    // One bad sector must not take its neighbours with it; and a block that was written while the
                    // cluster was being read may be there by now.
                    readAlone(block, false);
                }
            }
            cluster.waiting.clear();
        });
    }

    private static boolean matches(BlockRef ref, MemorySegment stored) {
        return CheckCode.of(ref.checkMethod()).matches(stored, ref.check());
    }

    private static MemorySegment storedIn(Clusters.Cluster cluster, BlockRef ref) {
        return cluster.memory.asSlice(ref.offsetBytes() & (Clusters.BYTES - 1), ref.storedBytes());
    }

    private void readAlone(CachedBlock block, boolean prefetch) {
        int counted = prefetch ? 1 : 0;
        prefetching += counted;
        BlockRef ref = block.ref;
        if (isStoredPlain(ref) && ref.storedBytes() == Limits.BLOCK_BYTES_MAX) {
            MemorySegment place = cache.place(block, Limits.RADIX_MAX);
            read(ref.offsetBytes(), place, error -> {
                prefetching -= counted;
                complete(block, place, error);
            });
            return;
        }
        int alignment = device.alignmentBytes();
        long begin = ref.offsetBytes() & -alignment;
        long end = (ref.offsetBytes() + ref.storedBytes() + alignment - 1) & -alignment;
        MemorySegment buffer = takeBuffer();
        read(begin, buffer.asSlice(0, end - begin), error -> {
            prefetching -= counted;
            complete(block, buffer.asSlice(ref.offsetBytes() - begin, ref.storedBytes()), error);
            buffers.push(buffer);
        });
    }

    /** What follows a read, on this cpu. */
    private interface Completed {
        void done(IOException error);
    }

    private void read(long offset, MemorySegment into, Completed completed) {
        inFlight++;
        deviceReads++;
        deviceBytes += into.byteSize();
        device.read(offset, into, error -> {
            if (Cpu.currentOrNull() == cpu) {
                // Inside the call: the host had it in its page cache.
                ended(completed, error);
            } else {
                cpu.post(() -> ended(completed, error));
            }
        });
    }

    private void ended(Completed completed, IOException error) {
        completed.done(error);
        if (--inFlight == 0 && idle != null) {
            idle.reply(null);
        }
    }

    /** Ends the loading of {@code block}, whose stored bytes are {@code stored} unless there is an error. */
    private void complete(CachedBlock block, MemorySegment stored, IOException error) {
        try {
            if (error != null) {
                throw new DeviceErrorException(block.ref, error);
            }
            verify(block.ref, stored);
            block.ready(decode(block, stored), totalBytes);
        } catch (CodecException e) {
            fail(block, new CorruptBlockException(block.ref, e.what(), e.expected(), e.found()));
        } catch (CorruptBlockException e) {
            fail(block, e.at(block.ref));
        } catch (DeviceErrorException e) {
            fail(block, e);
        }
        cache.unpin(block);
        block.wakeWaiters();
        if (block.state == CachedBlock.State.READY && isRecent(block.ref)) {
            recent.read(block.ref, block.recentBegun);
        }
    }

    private boolean isRecent(BlockRef ref) {
        return recent != null && ref.type() == BlockType.DATA && RecentBlocks.isOfInterest(ref.checkMethod());
    }

    private void fail(CachedBlock block, RuntimeException failure) {
        block.state = CachedBlock.State.FAILED;
        block.failure = failure;
        cache.remove(block);
    }

    private static void verify(BlockRef ref, MemorySegment stored) {
        CheckCode method = CheckCode.of(ref.checkMethod());
        if (!method.matches(stored, ref.check())) {
            throw new CorruptBlockException(
                    ref, "check code (" + method + ")", method.format(ref.check()), method.formatCodeOf(stored));
        }
    }

    /** Brings the stored bytes, decompressed if they are file data, to a place in the cache. */
    private MemorySegment decode(CachedBlock block, MemorySegment stored) {
        BlockRef ref = block.ref;
        if (isStoredPlain(ref)) {
            if (block.frame != null) {
                return stored;
            }
            return cache.place(block, ref.radix()).copyFrom(stored);
        }
        int length = decompressor.decompress(Compression.of(ref.compressionMethod()), stored, cache.draft());
        int radix = Math.max(Limits.RADIX_MIN, Integer.SIZE - Integer.numberOfLeadingZeros(length - 1));
        return cache.placeDraft(block, radix);
    }

    private static boolean isStoredPlain(BlockRef ref) {
        return ref.type() != BlockType.DATA || ref.compressionMethod() == Compression.NONE.code();
    }

    /** All come back, so there are as many as were ever in use at once. */
    private MemorySegment takeBuffer() {
        MemorySegment buffer = buffers.poll();
        return buffer != null ? buffer : arena.allocate(Limits.BLOCK_BYTES_MAX, BUFFER_ALIGNMENT);
    }
}
