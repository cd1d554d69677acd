import { cpu } from '@gradpack/backend-cpu';
import { extend, type GradPackError, Module, type Value } from '@gradpack/core';
import { batchGrad } from '@gradpack/extensions-firstorder';
import { linear, relu, sequential } from '@gradpack/layers';
import { mseLoss } from '@gradpack/losses';

const backend = cpu();
/** A module of the app's own core, with a layer of the other one. */
class Own extends Module {
  readonly fc = linear(2, 1);
  override forward(x: Value): Value {
    return this.fc.forward(x);
  }
}
const net = await extend(sequential(linear(2, 2), relu()), mseLoss(), { backend }).catch((e: GradPackError) => e);
const own = await extend(new Own(), mseLoss(), { backend })
  .then((net) => net.backward([[1, 2]], [[1]], { each: batchGrad() }))
  .catch((e: GradPackError) => e);
const told = [net, own].map((e) => ('code' in e ? [e.code, e.message] : ['no error']));
console.log(JSON.stringify(told));
