/**
 * The elements of a page: `Databench.ui`.
 */

export { StatusLog } from './alerts';
export { Button, ButtonState } from './button';
export { Cancel } from './cancel';
export { Checkbox } from './checkbox';
export { UIElement } from './element';
export type { HTMLDatabenchElement, Root, WireSignal } from './element';
export { Image } from './image';
export { Input } from './input';
export { Log } from './log';
export { NumberInput } from './number';
export { Plot } from './plot';
export { Progress } from './progress';
export { Radio } from './radio';
export { Select } from './select';
export { Slider } from './slider';
export { Text } from './text';
export { TextInput } from './textinput';
export { Values } from './values';
export { wire } from './wire';
