import { render } from 'preact';
import './style/tokens.css';
import './style/frame.css';
import './style/logs.css';
import './style/pages.css';
import { App } from './app';
import { applyPrefs, preferredZone } from './base/prefs';
import { fromHash, listenToAddress, view } from './base/url_state';

applyPrefs();
view.value = fromHash(location.hash, preferredZone());
listenToAddress();
const root = document.getElementById('app');
if (root) render(<App />, root);
