package dev.reweave.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.reweave.common.Location;
import dev.reweave.testing.TestSpark;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.ObjectStreamClass;
import org.junit.jupiter.api.Test;

/** What tasks get of a value, whoever loaded their classes. */
class SharedTest {
  private static final Location VALUE = new Location("s3a://training/run-17");

  /** Has classes of its own, as the tasks of a session to which a client brought the jar. */
  private static final class Session extends ClassLoader {
    Session() {
      super(SharedTest.class.getClassLoader());
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      if (!name.startsWith("dev.reweave.")) {
        return super.loadClass(name, resolve);
      }
      synchronized (getClassLoadingLock(name)) {
        Class<?> known = findLoadedClass(name);
        return known == null ? defined(name) : known;
      }
    }

    private Class<?> defined(String name) throws ClassNotFoundException {
      try (InputStream in = getResourceAsStream(name.replace('.', '/') + ".class")) {
        byte[] bytes = in.readAllBytes();
        return defineClass(name, bytes, 0, bytes.length);
      } catch (IOException e) {
        throw new ClassNotFoundException(name, e);
      }
    }

    Object read(byte[] bytes) throws Exception {
      try (ObjectInputStream in =
          new ObjectInputStream(new ByteArrayInputStream(bytes)) {
            @Override
            protected Class<?> resolveClass(ObjectStreamClass described)
                throws IOException, ClassNotFoundException {
              try {
                return Class.forName(described.getName(), false, Session.this);
              } catch (ClassNotFoundException primitive) {
                return super.resolveClass(described);
              }
            }
          }) {
        return in.readObject();
      }
    }
  }

  private static byte[] sent(Shared<Location> shared) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(shared);
    }
    return bytes.toByteArray();
  }

  private static Object value(Object shared) throws Exception {
    return shared.getClass().getMethod("value").invoke(shared);
  }

  @Test
  void tasksOfOneProcessHaveOneValueAndNoCopy() throws Exception {
    try (Shared<Location> shared = TestSpark.cluster().share(VALUE)) {
      byte[] sent = sent(shared);
      for (int task = 0; task < 2; task++) {
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(sent))) {
          assertSame(VALUE, value(in.readObject()));
        }
      }
    }
  }

  @Test
  void tasksOfASessionHaveTheValueInClassesOfTheirOwn() throws Exception {
    try (Shared<Location> shared = TestSpark.cluster().share(VALUE)) {
      byte[] sent = sent(shared);
      Session session = new Session();

      Object value = value(session.read(sent));

      assertSame(session, value.getClass().getClassLoader());
      assertEquals(VALUE.toString(), value.toString());
      assertSame(value, value(session.read(sent)), "made once for all tasks");
      assertNotSame(value.getClass(), value(new Session().read(sent)).getClass());
    }
  }
}
