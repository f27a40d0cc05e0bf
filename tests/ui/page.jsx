// The page under test: the published inbox. The page's address contains its user.
import { Inbox } from '@talkjs/react-components';
import '@talkjs/react-components/default.css';
import { createRoot } from 'react-dom/client';

const { app, user, host } = Object.fromEntries(new URLSearchParams(location.search));

createRoot(document.getElementById('root')).render(
  <Inbox appId={app} userId={user} host={host} style={{ height: '100%' }} />,
);
