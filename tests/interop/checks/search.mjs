import { assert, check, soon } from '../harness.mjs';

export default async function search(world) {
  const [alice, bob] = await world.users('alice', 'bob');
  const [a, b] = await world.conversation('fruit', [alice, bob]);
  await world.conversation('bob-only', [bob]);
  for (let i = 0; i < 16; i += 1) {
    await soon((i % 2 ? a : b).send(`Green apples, number ${i}!`));
  }
  await soon(bob.conversation('bob-only').send('Green apples that alice cannot see'));
  await soon(alice.conversation('veg').createIfNotExists({ subject: 'Leeks & more', custom: { search: 'allium ampeloprasum' } }));
  await soon(alice.conversation('veg').send('A look-at leek'));

  await check('search: messages, page by page', async () => {
    const states = [];
    const search = alice.searchMessages((results, status) => states.push([results.length, status]));
    const first = await soon(search.setQuery('apple green'));
    assert.equal(first.results.length, 3);
    assert.equal(first.loadedAll, false);
    assert.equal(first.results[0].message.plaintext, 'Green apples, number 15!');
    assert.equal(first.results[0].conversation.id, 'fruit');
    const second = await soon(search.loadMore());
    assert.equal(second.results.length, 13);
    const third = await soon(search.loadMore(50));
    assert.equal(third.results.length, 16);
    assert.equal(third.loadedAll, true);
    assert.equal(states.at(-1)[1], 'loadedAll');
  });

  await check('search: prefixes, punctuation, and words that are not there', async () => {
    const found = async (query, filters) => {
      const { results } = await soon(alice.searchMessages().setQuery(query, filters));
      return results.map((result) => result.message.plaintext);
    };
    assert.deepEqual(await found('15!'), ['Green apples, number 15!']);
    assert.deepEqual(await found('pple'), []);
    assert.deepEqual(await found('look at'), []);
    assert.deepEqual(await found('LOOK-AT'), ['A look-at leek']);
    assert.deepEqual(await found('leek', { conversation: { subject: ['==', 'other'] } }), []);
    assert.deepEqual(await found('100% ?&#/ é'), []);
  });

  await check('search: conversations', async () => {
    const found = async (query, filters) => {
      const { results } = await soon(alice.searchConversations().setQuery(query, filters));
      return results.map((result) => result.id);
    };
    assert.deepEqual(await found('about fruit'), ['fruit']);
    assert.deepEqual(await found('alli'), ['veg']);
    assert.deepEqual(await found('leeks allium'), []);
    assert.deepEqual(await found('leeks', { conversation: { hasMessages: true } }), ['veg']);
    assert.deepEqual(await found('leeks', { conversation: { hasMessages: false } }), []);
    const { results } = await soon(alice.searchConversations().setQuery('leeks'));
    assert.equal(results[0].lastMessage?.plaintext, 'A look-at leek');
  });

  await check('translate', async () => {
    const { id } = await soon(b.send('Good *morning*'));
    const translated = await soon(a.message(id).translate('fr'));
    assert.equal(typeof translated.plaintext, 'string');
    assert.notEqual(translated.plaintext, 'Good morning');
    assert.equal(await soon(a.message('msg_none').translate('fr')), null);
    const place = await soon(b.send({ content: [{ type: 'location', latitude: 1, longitude: 2 }] }));
    const [same, text] = await soon(
      Promise.all([a.message(place.id).translate('fr-FR'), a.message(id).translate('fr-FR')]),
    );
    assert.deepEqual(same.content, [{ type: 'location', latitude: 1, longitude: 2 }]);
    assert.equal(text.plaintext, translated.plaintext);
  });
}
