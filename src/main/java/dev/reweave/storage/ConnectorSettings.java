package dev.reweave.storage;

import org.apache.hadoop.conf.Configuration;

/** What Reweave wants of the connectors of stores, where nobody has said anything else. */
final class ConnectorSettings {
  /**
   * How S3A reads. From Hadoop 3.5.0 on it fetches objects of up to 8 MB whole by default, and
   * keeps more of the others than was asked for.
   */
  static final String STREAM = "fs.s3a.input.stream.type";

  /** What was asked for, and no more: the only one before 3.5.0. */
  private static final String RANGES = "classic";

  /** Tells settings that went through here from others. */
  private static final String COMPLETE = "reweave.connector.settings";

  private ConnectorSettings() {}

  /** These settings with what they leave open. */
  static Configuration in(Configuration conf) {
    Configuration with = new Configuration(conf);
    with.setBoolean(COMPLETE, true);
    UploadChecksums.addTo(with);
    if (with.get(STREAM) == null) {
      with.set(STREAM, RANGES);
    }
    return with;
  }

  /** Whether nothing is left open in the settings of a connector. */
  static boolean areComplete(Configuration conf) {
    return conf.getBoolean(COMPLETE, false);
  }
}
