package dev.reweave.storage;

import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.util.HashMap;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;

/** Hadoop's settings in a form that goes to tasks. */
final class SentConfiguration implements Serializable {
  private static final long serialVersionUID = 1L;

  private transient Configuration conf;

  SentConfiguration(Configuration conf) {
    this.conf = conf;
  }

  Configuration get() {
    return conf;
  }

  private void writeObject(ObjectOutputStream out) throws IOException {
    // Hadoop's own form compresses each of a thousand settings by itself, which takes a while.
    Map<String, String> settings = new HashMap<>();
    conf.forEach(setting -> settings.put(setting.getKey(), setting.getValue()));
    out.writeObject(settings);
  }

  private void readObject(ObjectInputStream in) throws IOException, ClassNotFoundException {
    conf = new Configuration(false);
    for (Object setting : ((Map<?, ?>) in.readObject()).entrySet()) {
      Map.Entry<?, ?> entry = (Map.Entry<?, ?>) setting;
      conf.set((String) entry.getKey(), (String) entry.getValue());
    }
  }
}
