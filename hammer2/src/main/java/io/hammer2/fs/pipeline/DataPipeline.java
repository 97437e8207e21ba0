package io.hammer2.fs.pipeline;

import io.hammer2.fs.freemap.BlockPlacer;
import io.hammer2.fs.freemap.VolumeFullException;
import io.hammer2.fs.io.BufferPool;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.Limits;
import io.hammer2.lwkt.Cpu;
import io.hammer2.lwkt.Lwkt;
import io.hammer2.lwkt.Message;
import io.hammer2.lwkt.Port;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntSupplier;

/**
 * Brings blocks of file data to the medium, some at a time. Encoding them is spread over the cpus where that pays; everything that
 * follows happens here, on the volume cpu, and in the order of the blocks, so that where they come to lie does not depend on who has
 * encoded them.
 */
public final class DataPipeline implements AutoCloseable {
    private final Cpu cpu;
    private final BlockPlacer placer;
    private final BufferPool buffers;
    private final Duplicates duplicates;
    private final IntSupplier extensions;
    private final BlockEncoder[] encoders;
    private final Port[] ports;

    /** Asks another cpu to encode some blocks, which are its own until it replies. */
    private static final class EncodeBlocks extends Message<Void> {
        private final List<OutgoingBlock> blocks;

        private EncodeBlocks(List<OutgoingBlock> blocks) {
            this.blocks = blocks;
        }
    }

    /**
     * @param cpu the volume cpu
     * @param extensions what the header of the next commit allows
     */
    public DataPipeline(
            Cpu cpu, BlockPlacer placer, BufferPool buffers, Duplicates duplicates, IntSupplier extensions) {
        this.cpu = cpu;
        this.placer = placer;
        this.buffers = buffers;
        this.duplicates = duplicates;
        this.extensions = extensions;
        Lwkt lwkt = cpu.lwkt();
        this.encoders = new BlockEncoder[lwkt.cpuCount()];
        this.ports = new Port[lwkt.cpuCount()];
        for (int id = 0; id < encoders.length; id++) {
            BlockEncoder encoder = new BlockEncoder(buffers);
            encoders[id] = encoder;
            ports[id] = Port.onCpu(lwkt.cpu(id), "encode", message -> {
                EncodeBlocks asked = (EncodeBlocks) message;
                asked.blocks.forEach(encoder::encode);
                asked.reply(null);
            });
        }
    }

    /** What is done with the data of an inode with these settings, now. */
    public DataPolicy policy(int compAlgo, int checkAlgo) {
        return DataPolicy.of(compAlgo, checkAlgo, extensions.getAsInt());
    }

    /** Has some blocks encoded, here and elsewhere. May block. */
    public void encode(List<OutgoingBlock> blocks) {
        cpu.assertCurrent();
        List<Cpu> helpers = helpers(EncodingCost.of(blocks));
        int share = Math.ceilDiv(blocks.size(), helpers.size() + 1);
        List<EncodeBlocks> asked = new ArrayList<>();
        int from = Math.min(share, blocks.size());
        for (int i = 0; from < blocks.size(); i++) {
            int to = Math.min(from + share, blocks.size());
            EncodeBlocks message = new EncodeBlocks(blocks.subList(from, to));
            ports[helpers.get(i).id()].send(message);
            asked.add(message);
            from = to;
        }
        try {
            blocks.subList(0, Math.min(share, blocks.size())).forEach(encoders[cpu.id()]::encode);
        } finally {
            awaitAll(asked);
        }
    }

    /** Those that save more time than it takes to have their help. */
    private List<Cpu> helpers(long nanos) {
        List<Cpu> helpers = new ArrayList<>();
        for (int id = 0; id < ports.length; id++) {
            Cpu other = cpu.lwkt().cpu(id);
            long saves = nanos / ((helpers.size() + 1L) * (helpers.size() + 2L));
            if (other != cpu && saves > EncodingCost.ofHelp(other)) {
                helpers.add(other);
            }
        }
        return helpers;
    }

    /** All of them, whatever happens: the blocks must be ours again before anybody lets go of their memory. */
    private static void awaitAll(List<EncodeBlocks> asked) {
        Throwable failure = null;
        for (EncodeBlocks message : asked) {
            try {
                message.await();
            } catch (RuntimeException | Error e) {
                failure = e;
            }
        }
        switch (failure) {
            case null -> {}
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            default -> throw new AssertionError(failure);
        }
    }

    /** An encoded block is not needed after all; its plain bytes remain its owner's. */
    public void discard(OutgoingBlock block) {
        block.releaseEncoded(buffers);
    }

    /**
     * Gives an encoded block a place and starts to write it. Its memory is the pipeline's from now on.
     *
     * @param mirrorTid of the commit
     * @param modifyTid of the file's newest change
     * @return the reference to it, or null where it has become a hole
     * @throws VolumeFullException when there is no place; then nothing has happened to it
     */
    public BlockRef place(OutgoingBlock block, long mirrorTid, long modifyTid) {
        cpu.assertCurrent();
        if (block.isHole()) {
            block.releasePlain();
            return null;
        }
        BlockRef.Builder ref = BlockRef.builder(BlockType.DATA)
                .key(block.key(), Limits.DATA_KEYBITS)
                .methods(block.policy().check().code(), block.encoding().code())
                .tids(mirrorTid, modifyTid);
        ref.check().copyFrom(block.check());
        long known = duplicates.dataOffOf(block);
        if (known != Duplicates.UNKNOWN) {
            block.releaseEncoded(buffers);
            block.releasePlain();
            return ref.dataOff(known).build();
        }
        int radix = Long.numberOfTrailingZeros(block.stored().byteSize());
        BlockRef placed = ref.dataOff(placer.allocateData(radix, block.key())).build();
        duplicates.written(block, placed);
        write(block, placed);
        return placed;
    }

    private void write(OutgoingBlock block, BlockRef placed) {
        if (block.isCompressed()) {
            block.releasePlain();
            placer.writeData(placed, block.stored(), block.handOver(buffers));
        } else {
            placer.writeData(placed, block.stored(), block::releasePlain);
        }
    }

    @Override
    public void close() {
        for (BlockEncoder encoder : encoders) {
            encoder.close();
        }
    }
}
