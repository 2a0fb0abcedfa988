package dev.reweave.storage;

import java.util.List;

/**
 * A stretch of a file and the machines that have it.
 *
 * @param end byte behind its last one; it begins where the one before it ends
 * @param hosts names of machines; empty if they are not known
 */
public record BlockHosts(long end, List<String> hosts) {
  public BlockHosts {
    hosts = List.copyOf(hosts);
  }
}
