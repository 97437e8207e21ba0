package io.hammer2.blockdev;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;

/**
 * Several devices as one, each at its logical offset. A request that spans devices is split, and ends when all parts have; it
 * is not atomic, as no request is. One that touches a byte of no device is refused as a whole.
 */
public final class VolumeSet implements BlockDevice {
    private final AtomicReference<List<Member>> members;
    private final String name;

    /**
     * One device of a set.
     *
     * @param logicalOffsetBytes where the first byte of the device is in the set
     * @param sizeBytes how much of the device, from its beginning, belongs to the set
     */
    public record Member(BlockDevice device, long logicalOffsetBytes, long sizeBytes) {
        private long end() {
            return logicalOffsetBytes + sizeBytes;
        }
    }

    private VolumeSet(List<Member> members) {
        this.members = new AtomicReference<>(members);
        this.name = members.stream().map(member -> member.device().name()).collect(Collectors.joining(":"));
    }

    /**
     * Joins devices, which from then on are closed with the set.
     *
     * @param members in any order; their numbers may come from a medium and are checked
     * @throws IOException when there is none, two overlap, or one is larger than its device
     */
    public static VolumeSet of(List<Member> members) throws IOException {
        if (members.isEmpty()) {
            throw new IOException("a volume set needs a device");
        }
        List<Member> sorted = members.stream()
                .sorted(Comparator.comparingLong(Member::logicalOffsetBytes))
                .toList();
        long end = 0;
        for (Member member : sorted) {
            String name = member.device().name();
            if (member.logicalOffsetBytes() < 0
                    || member.sizeBytes() <= 0
                    || member.sizeBytes() > Long.MAX_VALUE - member.logicalOffsetBytes()) {
                throw new IOException("%s: impossible place in the volume set: %d bytes at offset %d"
                        .formatted(name, member.sizeBytes(), member.logicalOffsetBytes()));
            }
            if (member.sizeBytes() > member.device().sizeBytes()) {
                throw new IOException("%s: has %d bytes, the volume set needs %d of it"
                        .formatted(name, member.device().sizeBytes(), member.sizeBytes()));
            }
            if (member.logicalOffsetBytes() < end) {
                throw new IOException("%s: at offset %d of the volume set, where another device reaches to %d"
                        .formatted(name, member.logicalOffsetBytes(), end));
            }
            end = member.end();
        }
        return new VolumeSet(sorted);
    }

    /** In order of their logical offsets. */
    public List<Member> members() {
        return members.get();
    }

    /**
     * Lets more of the last device belong to the set.
     *
     * @param sizeBytes of it, as in {@link Member}; not less than now
     * @throws IOException when the device is smaller
     */
    public void growLast(long sizeBytes) throws IOException {
        List<Member> grown = new ArrayList<>(members());
        Member last = grown.removeLast();
        if (sizeBytes < last.sizeBytes()) {
            throw new IllegalArgumentException(last + " cannot shrink to " + sizeBytes);
        }
        grown.add(new Member(last.device(), last.logicalOffsetBytes(), sizeBytes));
        members.set(of(grown).members());
    }

    /** Where the last device ends. */
    @Override
    public long sizeBytes() {
        return members().getLast().end();
    }

    /** The largest of the devices'. */
    @Override
    public int alignmentBytes() {
        return members().stream()
                .mapToInt(member -> member.device().alignmentBytes())
                .max()
                .orElseThrow();
    }

    /** Whether any of the devices is. */
    @Override
    public boolean readOnly() {
        return members().stream().anyMatch(member -> member.device().readOnly());
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void read(long offsetBytes, MemorySegment into, IoCompletion done) {
        Requests.checkLendable(into);
        IOException refusal = Requests.outOfRange(this, "read", offsetBytes, into.byteSize());
        if (refusal != null) {
            done.done(refusal);
            return;
        }
        split(
                "read",
                offsetBytes,
                into.byteSize(),
                done,
                (part, partDone) ->
                        part.device.read(part.deviceOffset, into.asSlice(part.requestOffset, part.length), partDone));
    }

    @Override
    public void write(long offsetBytes, MemorySegment from, IoCompletion done) {
        Requests.checkLendable(from);
        IOException refusal = Requests.notWritable(this, "write", offsetBytes, from.byteSize());
        if (refusal != null) {
            done.done(refusal);
            return;
        }
        split(
                "write",
                offsetBytes,
                from.byteSize(),
                done,
                (part, partDone) ->
                        part.device.write(part.deviceOffset, from.asSlice(part.requestOffset, part.length), partDone));
    }

    @Override
    public void flush(IoCompletion done) {
        List<Member> all = members();
        IoCompletion each = all(all.size(), done);
        for (Member member : all) {
            member.device().flush(each);
        }
    }

    @Override
    public void discard(long offsetBytes, long lengthBytes, IoCompletion done) {
        IOException refusal = Requests.notWritable(this, "discard", offsetBytes, lengthBytes);
        if (refusal != null) {
            done.done(refusal);
            return;
        }
        split(
                "discard",
                offsetBytes,
                lengthBytes,
                done,
                (part, partDone) -> part.device.discard(part.deviceOffset, part.length, partDone));
    }

    /** Closes all devices, also after one of them failed to. */
    @Override
    public void close() throws IOException {
        IOException failure = null;
        for (Member member : members()) {
            try {
                member.device().close();
            } catch (IOException e) {
                if (failure == null) {
                    failure = e;
                } else {
                    failure.addSuppressed(e);
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    /** What of a request one device does. */
    private record Part(BlockDevice device, long deviceOffset, long requestOffset, long length) {}

    @FunctionalInterface
    private interface PartRequest {
        void start(Part part, IoCompletion done);
    }

    private void split(String what, long offsetBytes, long lengthBytes, IoCompletion done, PartRequest request) {
        if (lengthBytes == 0) {
            done.done(null);
            return;
        }
        List<Part> parts = new ArrayList<>(1);
        long at = offsetBytes;
        long end = offsetBytes + lengthBytes;
        for (Member member : members()) {
            if (at >= member.logicalOffsetBytes() && at < member.end()) {
                long n = Math.min(end, member.end()) - at;
                parts.add(new Part(member.device(), at - member.logicalOffsetBytes(), at - offsetBytes, n));
                at += n;
                if (at == end) {
                    break;
                }
            }
        }
        if (at != end) {
            done.done(new IOException("%s: %s of %d bytes at offset %d: no device at offset %d"
                    .formatted(name, what, lengthBytes, offsetBytes, at)));
            return;
        }
        IoCompletion each = parts.size() == 1 ? done : all(parts.size(), done);
        for (Part part : parts) {
            request.start(part, each);
        }
    }

    /** Completes after {@code count} completions, with the first error if there was any. */
    private static IoCompletion all(int count, IoCompletion done) {
        AtomicInteger left = new AtomicInteger(count);
        AtomicReference<IOException> failure = new AtomicReference<>();
        return error -> {
            if (error != null) {
                failure.compareAndSet(null, error);
            }
            if (left.decrementAndGet() == 0) {
                done.done(failure.get());
            }
        };
    }
}
