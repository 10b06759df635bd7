"""The bot in Telegram, by the library python-telegram-bot, which no other part imports."""
