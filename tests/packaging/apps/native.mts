import { isNativeAvailable, native } from '@gradpack/backend-native';

const available = isNativeAvailable();
if (available === true) {
  const backend = await native({ threads: 2 });
  const storage = backend.allocate('float32', 3);
  backend.write(storage, [1, 2, 3]);
  const [numbers = []] = await backend.read([{ storage, offset: 0, length: 3 }]);
  await backend.dispose();
  console.log(JSON.stringify({ available, numbers: [...numbers] }));
} else {
  const error = await native().then(
    () => '',
    (thrown: Error) => thrown.message,
  );
  console.log(JSON.stringify({ available, error }));
}
