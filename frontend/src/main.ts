import './design/tokens.css'
import './design/base.css'
import './design/controls.css'
import { mount } from 'svelte'
import App from './App.svelte'

const place = document.getElementById('page')
if (!place) throw new Error('index.html has no element with the id "page"')
mount(App, { target: place })
