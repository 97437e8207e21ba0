/** LWKT in user space: cpus, cooperative threads, messages, tokens and gates. */
package io.hammer2.lwkt;
