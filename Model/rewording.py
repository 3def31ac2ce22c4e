"""Random rewording of a question, so that training sees more than the written ways to ask.

`reword` changes the frame ("How do I" becomes "Is there a way to") and some
words; `vary` then changes contractions, openings, case and punctuation and may
add a typing slip.  Neither changes what is asked.
"""

import re

# Each frame: a pattern with one group that is kept, and the ways to say it.
FRAMES = [(re.compile(pattern), ways) for pattern, ways in [
    (r"^What (?:is|are) ((?:a |an |the )?[\w.\-/]+(?: [\w.\-/]+)?)\?$", [
        "Can you tell me what # is?", "Do you know what # is?", "What do you mean by #?", "What does # mean?",
        "I want to know what # is.", "Please explain #.", "Could you explain #?", "Can you explain # to me?",
        "I do not know what # is.", "What exactly is #?", "Explain #.", "Tell me what # is.", "#?", "#", "And what is #?",
        "What would # be?", "What's the meaning of #?", "Remind me what # is.", "I would like to understand #."]),
    (r"^(?:Explain|Define|Tell me about|Describe) (.+)\.$", [
        "What is #?", "Can you explain #?", "Tell me more about #.", "Tell me something about #.",
        "I want to know more about #.", "Could you tell me about #?", "What about #?", "Give me an explanation of #."]),
    (r"^What does (.+) mean\?$", [
        "What is the meaning of #?", "What do you mean by #?", "I do not understand #.", "What is meant by #?", "Meaning of #?",
        "Can you tell me what # means?", "What does it mean: #?", "Explain what # means.", "How should I understand #?"]),
    (r"^What does (.+) do\?$", [
        "What is # for?", "What is # good for?", "Can you tell me what # does?", "What is the purpose of #?",
        "Explain what # does.", "What happens with #?", "Why is there #?", "What would # do?"]),
    (r"^How (?:do|can|should) I (.+)\?$", [
        "How do I #?", "How can I #?", "How could I #?", "How to #?", "How would I #?", "What is the way to #?",
        "Is there a way to #?", "I want to #.", "I would like to #, how?", "Can you show me how to #?", "Tell me how to #.",
        "What do I have to do to #?", "What's the best way to #?", "How does one #?", "How do you #?", "How do we #?",
        "I need to #.", "Can you explain how to #?", "What must I do to #?", "I am trying to #."]),
    (r"^(?:Can|May|Could) I (.+)\?$", [
        "Can I #?", "May I #?", "Could I #?", "Is it possible to #?", "Am I able to #?", "Am I allowed to #?",
        "Is there a way to #?", "Would it be possible to #?", "Can you #?", "Can one #?", "I want to #, can I?", "Can we #?"]),
    (r"^Do I (?:need|have) (?:to )?(.+)\?$", ["Do I really need #?", "Is it necessary to have #?", "Must I have #?", "Do we need #?"]),
    (r"^Does (?:Evident|it) (.+)\?$", [
        "Does Evident #?", "Does it #?", "Can Evident #?", "Can it #?", "Will it #?", "Is Evident able to #?", "Does the software #?",
        "I wonder whether Evident can #.", "Does this #?", "Does your system #?"]),
    (r"^Is Evident (.+)\?$", ["Is it #?", "Is this #?", "Would you say that Evident is #?", "Is this project #?", "Is the software #?"]),
    (r"^Which (\w+) (.+)\?$", None),  # only words change
    (r"^What happens if (.+)\?$", ["What if #?", "What will happen if #?", "What happens when #?", "Suppose #, what then?", "And if #?"]),
    (r"^What if (.+)\?$", ["What happens if #?", "What will happen if #?", "And if #?", "Suppose #, what then?"]),
    (r"^What is the difference between (.+) and (.+)\?$", None),
    (r"^(?:How is Evident different from|Compare Evident with) (.+)[.?]$", [
        "What is the difference between Evident and #?", "How does Evident differ from #?", "How does Evident compare to #?",
        "Evident versus #?", "Evident vs #", "Is Evident better than #?", "Why is Evident better than #?", "Why Evident and not #?",
        "What distinguishes Evident from #?", "How does it differ from #?", "Is it the same as #?"]),
    (r"^Why (?:is|are) (.+)\?$", ["What is the reason that # is so?", "Tell me why: #", "Why exactly is #?"]),
    (r"^Where (?:do|can) I find (.+)\?$", ["Where is #?", "Where can I see #?", "How do I find #?", "I am looking for #.", "Where do I get #?"]),
    (r"^Who (?:is|was) (.+)\?$", ["Do you know who # is?", "Tell me who # is.", "Who exactly is #?", "Can you tell me who # is?"]),
]]

# Words that may stand for each other in a question.
SYNONYMS = [
    ["answer", "reply", "response"], ["answers", "replies", "responses"], ["check", "verify"], ["machine", "computer"],
    ["prompt", "question", "input"], ["prompts", "questions"], ["delete", "remove", "erase"], 
    ["install", "set up"], ["big", "large"], ["begin", "start"], ["stored", "kept", "saved"], ["keep", "store", "save"],
    ["altered", "changed", "modified"], ["change", "modify"], ["trust", "believe", "rely on"], ["use", "work with"],
    ["need", "require"], ["program", "software", "tool"], ["explain", "describe"], ["private", "secret", "confidential"],
    ["quick", "fast"], ["wrong", "incorrect"], ["true", "correct", "right"], ["picture", "image"], ["provider", "operator", "service"],
    ["cheat", "lie"], ["faked", "forged"], ["fake", "forge"], ["my own", "my"], ["supported", "available", "possible"],
    ["support", "work with", "handle"], ["get", "obtain"], ["fetch", "download", "get"], ["client", "library", "package"],
    ["model", "LLM", "language model"], ["documentation", "docs", "manual"], ["laptop", "notebook", "PC"], ["good", "great"],
    ["licence", "license"], ["see", "find"], ["somebody", "someone", "anybody"], ["ask", "query"], ["file", "document"],
]
SYNONYM_OF = {word: [other for other in group if other != word] for group in SYNONYMS for word in group}
WORD = re.compile(r"(?<![-/.\w])(?<!evident )(?<!make )[A-Za-z]+(?![-/.]\w)")  # not in commands, flags, paths

CONTRACTIONS = [
    ("What is ", "What's "), ("Who is ", "Who's "), ("Where is ", "Where's "), ("How is ", "How's "),
    ("That is ", "That's "), ("It is ", "It's "), (" do not ", " don't "), (" does not ", " doesn't "),
    (" cannot ", " can't "), (" is not ", " isn't "), ("I am ", "I'm "), ("Do not ", "Don't "), ("I would ", "I'd "),
]
OPENINGS = ["Hi, ", "Hello, ", "Hey, ", "Ok, ", "Quick question: ", "Tell me: ", "Excuse me, ", "So ", "And ", "Sorry, ",
            "I have a question. ", "One more question: ", "Now, ", "Well, ", "Just curious: ", "But ", "Also, ", "Hello! "]
CLOSINGS = [" Thanks!", " Please help.", " I am new here.", " I need to know.", " Thank you.", " Please answer."]
COMMANDS = ("Tell ", "Explain ", "Show ", "Give ", "Describe ", "List ", "Help ", "Define ", "Name ", "Say ", "Write ")


def reword(question, rng):
    """Another frame (for one question in three) and other words (one word in eight)."""
    text = question
    if rng.random() < 0.35:
        for pattern, ways in FRAMES:
            match = pattern.match(text)
            if match and ways:
                text = rng.choice(ways).replace("#", match[1])
                text = text[0].upper() + text[1:]
                break
    if rng.random() < 0.5:
        text = WORD.sub(lambda m: rng.choice(SYNONYM_OF[m[0]]) if m[0] in SYNONYM_OF and rng.random() < 0.35 else m[0], text)
    if len(text) > 25 and rng.random() < 0.12:  # a short word goes missing
        words = text.split(" ")
        at = rng.randrange(len(words))
        if words[at].lower() in ("the", "a", "an", "to", "of", "do", "is", "does", "i", "my", "it", "that", "this", "can", "in"):
            del words[at]
            text = " ".join(words)
    return text


def vary(question, rng):
    """Contractions, openings, case, punctuation, a typing slip."""
    text = question
    if rng.random() < 0.3:
        for long, short in CONTRACTIONS:
            if long in text:
                text = text.replace(long, short, 1)
    if len(text) < 12 or rng.random() < 0.6:
        pass
    elif text.startswith(COMMANDS):
        text = "Please " + text[0].lower() + text[1:] if rng.random() < 0.6 else text.rstrip(".") + ", please."
    elif text.endswith("?"):
        roll = rng.random()
        keep = text.startswith(("I ", "I'", "HTTP", "JSON", "Evident", "OpenAI"))
        if roll < 0.7:
            text = rng.choice(OPENINGS) + (text if keep else text[0].lower() + text[1:])
        elif roll < 0.8:
            text += rng.choice(CLOSINGS)
    roll = rng.random()
    if roll < 0.22:
        text = text.lower()
    elif roll < 0.235:
        text = text.upper()
    if rng.random() < 0.25:
        text = text.rstrip("?.!")
    elif rng.random() < 0.05:
        text = text.rstrip("?.!") + rng.choice([" ?", "??", "!", "?!", "."])
    if len(text) > 15 and rng.random() < 0.08:
        at = rng.randrange(3, len(text) - 3)
        text = rng.choice([text[:at] + text[at + 1:], text[:at] + text[at + 1] + text[at] + text[at + 2:]])
    return text
