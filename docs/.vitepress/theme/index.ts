import type { Theme } from 'vitepress';
import DefaultTheme from 'vitepress/theme';
import LiveTraining from './LiveTraining.vue';

// live examples are Vue components, registered here
export default {
  extends: DefaultTheme,
  enhanceApp({ app }) {
    app.component('LiveTraining', LiveTraining);
  },
} satisfies Theme;
