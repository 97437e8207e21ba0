package io.hammer2.lwkt;

import java.lang.management.LockInfo;
import java.lang.management.ManagementFactory;
import java.lang.management.MonitorInfo;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Finds Java monitors and {@code java.util.concurrent} locks that a thread holds when it blocks. With a monitor held the carrier would
 * hang for ever at the next contention; with a lock held the next thread of the same carrier would walk in, because to the lock it is
 * the same thread.
 *
 * <p>The JVM answers the question at a safepoint, which is dear. Which monitors are held follows from the program counters on the stack,
 * so that tests ask once for every distinct stack of a blocking thread and still miss no monitor; production asks now and then.
 */
final class HeldLocks {
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final StackWalker WALKER = StackWalker.getInstance();
    private static final Set<Long> STACKS_SEEN = ConcurrentHashMap.newKeySet();
    private static final String BOTTOM_FRAME = LwktThread.class.getName();

    /**
     * Locks the calling thread had before it began to advance a stepped world, by the text that names class and identity: those of an
     * executor whose thread it is, for instance. Asked once in the life of a thread.
     */
    private static final ThreadLocal<Set<String>> HELD_OUTSIDE = new ThreadLocal<>();

    private HeldLocks() {}

    /** For tests: called by a thread that is about to advance a stepped world. */
    static void noteWhatIsHeldOutside() {
        if (HELD_OUTSIDE.get() == null) {
            Set<String> held = new HashSet<>();
            for (LockInfo lock : infoOfThisThread(true).getLockedSynchronizers()) {
                held.add(lock.toString());
            }
            HELD_OUTSIDE.set(held);
        }
    }

    /** For tests: what the calling thread holds, or null; answers null for a stack that was looked at before. */
    static String heldOnNewStack() {
        long stack = WALKER.walk(frames -> {
            long hash = 1;
            for (StackWalker.StackFrame frame : (Iterable<StackWalker.StackFrame>) frames::iterator) {
                if (isBottom(frame.getClassName(), frame.getMethodName())) {
                    break;
                }
                hash = hash * 31 + frame.getClassName().hashCode();
                hash = hash * 31 + frame.getMethodName().hashCode();
                hash = hash * 31 + frame.getByteCodeIndex();
            }
            return hash;
        });
        return STACKS_SEEN.add(stack) ? held(true) : null;
    }

    /** For tests of this class. */
    static void forgetStacks() {
        STACKS_SEEN.clear();
    }

    /**
     * What the calling thread holds above the bottom frame of its LWKT thread, or null.
     *
     * @param locksToo also locks, for which the JVM walks the whole heap
     */
    static String held(boolean locksToo) {
        ThreadInfo self = infoOfThisThread(locksToo);
        int depth = bottomDepth(self.getStackTrace());
        for (MonitorInfo monitor : self.getLockedMonitors()) {
            if (monitor.getLockedStackDepth() < depth) {
                return "the monitor of a " + monitor.getClassName() + ", taken in " + monitor.getLockedStackFrame();
            }
        }
        Set<String> outside = HELD_OUTSIDE.get();
        for (LockInfo lock : self.getLockedSynchronizers()) {
            if (outside == null || !outside.contains(lock.toString())) {
                return "the lock " + lock;
            }
        }
        return null;
    }

    private static ThreadInfo infoOfThisThread(boolean locksToo) {
        long[] self = {Thread.currentThread().threadId()};
        return THREADS.getThreadInfo(self, true, locksToo, Integer.MAX_VALUE)[0];
    }

    private static int bottomDepth(StackTraceElement[] frames) {
        for (int depth = 0; depth < frames.length; depth++) {
            if (isBottom(frames[depth].getClassName(), frames[depth].getMethodName())) {
                return depth;
            }
        }
        return frames.length;
    }

    private static boolean isBottom(String className, String methodName) {
        return methodName.equals("runBody") && className.equals(BOTTOM_FRAME);
    }
}
