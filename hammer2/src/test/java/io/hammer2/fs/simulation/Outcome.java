package io.hammer2.fs.simulation;

import io.hammer2.fs.Errno;
import io.hammer2.fs.FsException;
import io.hammer2.fs.inode.Attributes;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Objects;

/**
 * What came of an operation: a value, or an error.
 *
 * @param errors empty with a value; else the error, and of the model all that there is a reason for
 */
record Outcome(Object value, EnumSet<Errno> errors) {
    static Outcome of(Operation operation, Posix fs) {
        try {
            return new Outcome(operation.body().apply(fs), EnumSet.noneOf(Errno.class));
        } catch (FsException e) {
            return new Outcome(null, EnumSet.of(e.errno()));
        } catch (Refusal e) {
            return new Outcome(null, e.reasons());
        }
    }

    boolean failed() {
        return !errors.isEmpty();
    }

    boolean failedWith(Errno errno) {
        return errors.contains(errno);
    }

    /** Whether a file system may say this where the model says {@code model}. */
    boolean isOneOf(Outcome model) {
        if (failed()) {
            return model.errors.containsAll(errors);
        }
        return !model.failed() && sameValue(model.value, value);
    }

    private static boolean sameValue(Object expected, Object found) {
        if (expected instanceof Attributes a && found instanceof Attributes b) {
            return matches(a, b);
        }
        return Objects.deepEquals(expected, found);
    }

    /** Whether all is the same but what the model does not know. */
    static boolean matches(Attributes expected, Attributes found) {
        return expected.inum() == found.inum()
                && expected.type() == found.type()
                && expected.mode() == found.mode()
                && expected.uid() == found.uid()
                && expected.gid() == found.gid()
                && expected.nlink() == found.nlink()
                && expected.size() == found.size()
                && expected.rmajor() == found.rmajor()
                && expected.rminor() == found.rminor()
                && expected.uflags() == found.uflags()
                && isFigure(expected.atimeMicros(), found.atimeMicros())
                && isFigure(expected.mtimeMicros(), found.mtimeMicros())
                && isFigure(expected.ctimeMicros(), found.ctimeMicros())
                && isFigure(expected.btimeMicros(), found.btimeMicros())
                && isFigure(expected.blocks512(), found.blocks512());
    }

    private static boolean isFigure(long expected, long found) {
        return expected == ModelInode.UNKNOWN || found == ModelInode.UNKNOWN || expected == found;
    }

    @Override
    public String toString() {
        return failed() ? errors.toString() : value instanceof byte[] bytes ? text(bytes) : String.valueOf(value);
    }

    private static String text(byte[] bytes) {
        return "%d bytes %s%s, hash %x"
                .formatted(
                        bytes.length,
                        Arrays.toString(Arrays.copyOf(bytes, Math.min(8, bytes.length))),
                        bytes.length > 8 ? "..." : "",
                        Hash.of(bytes));
    }
}
